//! What a file is, by its name and by what is in it.

use crate::document::{Node, toml, yaml};
use crate::gitlab;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A pipeline of GitLab, or a part of one.
    Pipeline,
    /// `config.toml` of GitLab Runner.
    Runner,
    /// Values of GitLab Runner's chart.
    RunnerValues,
    /// Objects of Kubernetes.
    Kubernetes,
    /// What an image is built by.
    Dockerfile,
    /// `package.json`.
    Package,
    /// Options of a JVM: `jvm.config`, `.jvmopts`.
    Jvm,
    /// `gradle.properties`.
    Gradle,
    /// `buildkitd.toml`.
    Buildkit,
    /// A shell script.
    Shell,
    /// A template of a chart: it says nothing before it is rendered.
    Template,
    /// None of these.
    Unknown,
}

/// By name alone, where that is enough.
pub fn by_name(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    Some(match lower.as_str() {
        "package.json" => Kind::Package,
        "jvm.config" | ".jvmopts" => Kind::Jvm,
        "gradle.properties" => Kind::Gradle,
        "buildkitd.toml" => Kind::Buildkit,
        "dockerfile" | "containerfile" => Kind::Dockerfile,
        _ if lower.starts_with("dockerfile.") || lower.ends_with(".dockerfile") => Kind::Dockerfile,
        _ if lower.ends_with(".gitlab-ci.yml") || lower.ends_with(".gitlab-ci.yaml") => Kind::Pipeline,
        _ if [".sh", ".bash"].iter().any(|ending| lower.ends_with(ending)) => Kind::Shell,
        _ => return None,
    })
}

/// By what is in it.
pub fn of(path: &str, text: &str) -> Kind {
    if let Some(kind) = by_name(path) {
        return kind;
    }
    let first = text.lines().next().unwrap_or_default();
    if first.starts_with("#!") && ["sh", "bash"].iter().any(|shell| first.trim_end().ends_with(shell)) {
        return Kind::Shell;
    }
    match path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("toml") => of_toml(text),
        Some("yml" | "yaml" | "json") => of_yaml(text),
        _ => Kind::Unknown,
    }
}

fn of_toml(text: &str) -> Kind {
    let whole = crate::source::Span { file: 0, start: 0, end: text.len() };
    let tree = toml::parse(&crate::document::text::Text::plain(whole, text));
    let has = |tree: &Node, keys: &[&str]| tree.at(keys).is_some();
    match tree {
        Ok(tree) if has(&tree, &["runners"]) => Kind::Runner,
        Ok(tree) if has(&tree, &["worker", "oci"]) || has(&tree, &["worker", "containerd"]) => Kind::Buildkit,
        Err(_) if text.contains("[[runners]]") => Kind::Runner,
        _ => Kind::Unknown,
    }
}

fn of_yaml(text: &str) -> Kind {
    let (documents, _) = yaml::parse(0, text);
    let is_object = |node: &Node| node.get("apiVersion").is_some() && node.get("kind").is_some();
    if documents.iter().any(is_object) {
        return if is_template(text) { Kind::Template } else { Kind::Kubernetes };
    }
    if documents.iter().any(|node| node.at(&["runners", "config"]).is_some()) {
        return Kind::RunnerValues;
    }
    if documents.iter().any(gitlab::is_pipeline) {
        return Kind::Pipeline;
    }
    let says = |words: &str| text.lines().any(|line| line.starts_with(words));
    match is_template(text) && text.contains("kind:") {
        true => Kind::Template,
        // It does not parse as far as that.
        false if says("apiVersion:") && says("kind:") => Kind::Kubernetes,
        false => Kind::Unknown,
    }
}

/// Whether lines are put in or left out when it is rendered; `{{ }}` inside of a text is no template of Helm's here.
fn is_template(text: &str) -> bool {
    let outside = |line: &str| {
        let line = line.trim();
        line.starts_with("{{")
            || line.split_once(':').is_some_and(|(_, value)| value.trim().starts_with("{{"))
    };
    text.lines().any(outside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name_and_by_what_is_in_it() {
        let check = |path: &str, text: &str, expect: Kind| assert_eq!(of(path, text), expect, "{path}");
        check("a/.gitlab-ci.yml", "", Kind::Pipeline);
        check("ci/build.yml", "build:\n  script: [make]\n", Kind::Pipeline);
        check("config.toml", "[[runners]]\nname = \"x\"\n", Kind::Runner);
        check("config.toml", "[package]\nname = \"x\"\n", Kind::Unknown);
        check("values.yaml", "runners:\n  config: |\n    [[runners]]\n", Kind::RunnerValues);
        check("values.yaml", "image: x\n", Kind::Unknown);
        check("web.yaml", "apiVersion: v1\nkind: Pod\n", Kind::Kubernetes);
        check("web.yaml", "{{- if x }}\napiVersion: v1\nkind: Pod\n{{- end }}\n", Kind::Template);
        check("web.json", "{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}", Kind::Kubernetes);
        check("web.yaml", "apiVersion: v1\nkind: Pod\na: [\n", Kind::Kubernetes);
        check("build", "#!/bin/bash\nmake\n", Kind::Shell);
        check("build/Dockerfile.ci", "", Kind::Dockerfile);
        check("my-buildkitd.toml", "[worker.oci]\n", Kind::Buildkit);
        check("README.md", "script: x", Kind::Unknown);
    }
}
