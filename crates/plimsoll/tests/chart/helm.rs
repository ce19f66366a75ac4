//! Helm as a process, by the chart of this repository.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

/// The namespace that tests install in.
pub const NAMESPACE: &str = "plimsoll";

/// The folder of helm and of what comes with it, which are built where they are missing.
pub static TOOLS: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut build = Command::new(root().join("dev/chart/build"));
    let build = build.stderr(Stdio::inherit()).output().expect("its build");
    assert!(build.status.success(), "helm was not built\nbuild it with make helm");
    PathBuf::from(String::from_utf8_lossy(&build.stdout).trim())
});

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn chart() -> PathBuf {
    root().join("charts/plimsoll")
}

/// Helm, with nothing of the user's own.
pub fn helm(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(TOOLS.join("helm"));
    command.args(arguments).env_clear().env("HOME", home).stdin(Stdio::null());
    command
}

/// What it said; it has to have gone well.
pub fn said(output: &Output) -> String {
    let (text, errors) = texts(output);
    assert!(output.status.success(), "{text}\n{errors}");
    text
}

/// What it complained of; it has to have failed.
pub fn refused(output: &Output) -> String {
    let (text, errors) = texts(output);
    assert!(!output.status.success(), "{text}");
    errors
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The manifests of the chart with more arguments.
pub fn template(more: &[&str]) -> Output {
    template_of(&chart(), more)
}

/// Those of a chart in this folder.
fn template_of(chart: &Path, more: &[&str]) -> Output {
    let chart = chart.display().to_string();
    let home = tempfile::tempdir().expect("a folder");
    let what = ["template", "plimsoll", &chart, "--namespace", NAMESPACE, "--kube-version", "1.36.3"];
    helm(home.path(), &what).args(more).output().expect("helm starts")
}

/// The names of the sets of values in the chart's `ci` folder, and their files.
pub fn value_sets() -> Vec<(String, PathBuf)> {
    let files = std::fs::read_dir(chart().join("ci")).expect("sets of values").flatten();
    let set = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.strip_suffix("-values.yaml")?.to_string();
        Some((name, path))
    };
    let mut sets: Vec<_> = files.filter_map(|file| set(file.path())).collect();
    sets.sort();
    sets
}

/// A rendered object, and the template it is of.
#[derive(Debug, Clone)]
pub struct Rendered {
    pub template: String,
    pub text: String,
    pub object: Value,
}

/// What is rendered of a set of values.
pub fn rendered(values: &Path) -> Vec<Rendered> {
    rendered_of(&chart(), values)
}

/// The same of a chart in this folder.
pub fn rendered_of(chart: &Path, values: &Path) -> Vec<Rendered> {
    let text = said(&template_of(chart, &["--values", &values.display().to_string()]));
    let one = |text: &str| {
        let (source, text) = text.trim_start_matches("---\n").strip_prefix("# Source: ")?.split_once('\n')?;
        let object: Value =
            serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{source}: {error}\n{text}"));
        let template = source.trim_start_matches("plimsoll/templates/").to_string();
        (!object.is_null()).then(|| Rendered { template, text: text.to_string(), object })
    };
    text.split("\n---\n").filter_map(one).collect()
}
