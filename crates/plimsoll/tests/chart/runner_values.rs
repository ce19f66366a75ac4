//! `plimsoll render runner` and Helm itself: what a chart gets that treats `runners.config` as GitLab Runner's does, before, with the values
//! that are written, and after they were undone.

use crate::common::{PLIMSOLL, eater};
use crate::helm::{helm, said};
use std::fs;
use std::path::Path;
use std::process::Command;

/// As `templates/configmap.yaml` of GitLab Runner's chart: the text is a template, and left out where it is empty.
const TEMPLATE: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: runner}
data:
{{- if .Values.runners.config }}
  config.template.toml: {{ tpl (toYaml .Values.runners.config) $ | indent 2 }}
{{- end }}
";
const CHARTS_OWN: &str = "runners:\n  config: |\n    [[runners]]\n      [runners.kubernetes]\n        namespace = \"{{.Release.Namespace}}\"\n        image = \"alpine\"\n";

fn rendered(folder: &Path, values: &[&str]) -> String {
    let mut command = helm(folder, &["template", "runner", "chart", "--namespace", "ci"]);
    command.current_dir(folder);
    for name in values {
        command.args(["-f", name]);
    }
    said(&command.output().expect("helm starts"))
}

fn render(folder: &Path, args: &[&str]) {
    let mut command = Command::new(PLIMSOLL);
    command.args(["render", "runner", "--store", "store", "--min-runs", "1", "--out", "."]).args(args);
    said(&command.current_dir(folder).output().expect("plimsoll starts"));
}

#[test]
fn helm_takes_what_is_written_and_has_what_was_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::create_dir_all(folder.join("chart/templates")).expect("made");
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("written");
    write("chart/Chart.yaml", "apiVersion: v2\nname: runner\nversion: 0.1.0\n");
    write("chart/values.yaml", CHARTS_OWN);
    write("chart/templates/configmap.yaml", TEMPLATE);
    let mut run = Command::new(PLIMSOLL);
    run.args(["run", "--store", "store", "--job", "build", "--limit", "1GiB", "--"]).arg(eater());
    run.args(["40", "100", "300"]).current_dir(folder);
    said(&run.output().expect("plimsoll starts"));

    let own = "concurrent: 10\nrunners:\n  name: mine\n  config: |\n    # ours: {{ .Release.Name }}\n    [[runners]]\n      [runners.kubernetes]\n        \
               namespace = \"{{ .Release.Namespace }}\"\n        memory_limit = \"32Mi\"\n        [runners.kubernetes.pod_labels]\n          a = \"b\"\n";
    for (values, now) in [("concurrent: 10\n", "image = \"alpine\""), (own, "# ours: runner")] {
        write("values.yaml", values);
        let before = rendered(folder, &["values.yaml"]);
        render(folder, &["--values", "values.yaml"]);
        let applied = rendered(folder, &["values.yaml", "runner-values.yaml"]);
        for part in
            [now, "namespace = \"ci\"", "memory_limit_overwrite_max_allowed = \"1Gi\"", "memory_limit = \""]
        {
            assert!(applied.contains(part), "{part}\n{applied}");
        }
        assert!(!applied.contains("memory_limit = \"32Mi\""), "{applied}");
        render(folder, &["--values", "values.yaml", "--undo"]);
        assert_eq!(rendered(folder, &["values.yaml", "runner-values.yaml"]), before);
    }
}
