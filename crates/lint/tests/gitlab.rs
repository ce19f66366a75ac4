//! Pipelines as GitLab puts them together: what a job runs, with which variables.

use plimsoll_lint::document::glob;
use plimsoll_lint::project::{Files, Project};
use plimsoll_lint::source::Source;

/// Files that were not given.
struct Repository(Vec<(&'static str, &'static str)>);

impl Files for Repository {
    fn read(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, text)| text.to_string())
    }

    fn names(&self, pattern: &str) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.to_string()).filter(|name| glob::matches(pattern, name)).collect()
    }
}

fn project(text: &str, files: Vec<(&'static str, &'static str)>) -> Project {
    let given = vec![Source { name: ".gitlab-ci.yml".into(), text: text.into() }];
    Project::of(given, &Repository(files))
}

/// The commands of a job, `;` between them, and its variables, for each set of them.
fn runs(project: &Project, job: &str) -> Vec<String> {
    let of_job = project.runs.iter().filter(|run| run.what == format!("job {job}"));
    let shown = |run: &plimsoll_lint::runs::Run| {
        let variables: Vec<String> =
            run.env.iter().map(|(name, value)| format!("{name}={}", value.as_str())).collect();
        let steps: Vec<String> = run.steps.iter().map(|step| step.argv.join(" ")).collect();
        format!("{} | {}", variables.join(" "), steps.join("; "))
    };
    of_job.map(shown).collect()
}

#[test]
fn as_gitlab_merges_it() {
    let check = |text: &str, expect: &[&str]| {
        assert_eq!(runs(&project(text, Vec::new()), "a"), expect, "{text}");
    };
    check("a:\n  script: x y\n", &[" | x y"]);
    check("a:\n  script: [x, [y, z]]\n", &[" | x; y; z"]);
    check("before_script: [b]\na: {script: [x]}\n", &[" | b; x"]);
    check("default: {before_script: [b]}\na: {script: [x], before_script: [c]}\n", &[" | c; x"]);
    check("default: {before_script: [b]}\na: {script: [x], inherit: {default: false}}\n", &[" | x"]);
    check("default: {before_script: [b]}\na: {script: [x], inherit: {default: [image]}}\n", &[" | x"]);
    check(
        "variables: {V: 1, W: {value: 2, description: d}}\na: {script: [x], variables: {V: 3}}\n",
        &["V=3 W=2 | x"],
    );
    check("variables: {V: 1, W: 2}\na: {script: [x], inherit: {variables: [W]}}\n", &["W=2 | x"]);
    check("variables: {V: 1}\na: {script: [x], inherit: {variables: false}}\n", &[" | x"]);
    check("variables: {V: 1, W: $V-2}\na: {script: [x $W]}\n", &["V=1 W=1-2 | x 1-2"]);
    // Maps are merged, lists are not; of several parents the last counts.
    check(
        ".p: {script: [p], variables: {V: 1, W: 1}}\na: {extends: .p, variables: {V: 2}}\n",
        &["V=2 W=1 | p"],
    );
    check(".p: {script: [p]}\n.q: {script: [q, r]}\na: {extends: [.p, .q]}\n", &[" | q; r"]);
    check(
        ".p: {extends: .q, variables: {V: 1}}\n.q: {script: [q], variables: {V: 0, W: 0}}\na: {extends: .p}\n",
        &["V=1 W=0 | q"],
    );
    check("a: {extends: b, script: [x]}\nb: {extends: a}\n", &[" | x"]);
    check(".p: {script: [p, q]}\na: {script: [x, !reference [.p, script], y]}\n", &[" | x; p; q; y"]);
    check(".p: {variables: {V: 1}}\na: {script: [x], variables: !reference [.p, variables]}\n", &["V=1 | x"]);
    check(".p: {script: [!reference [.p, script]]}\na: {script: [x, !reference [.p, script]]}\n", &[" | x"]);
    check(".p: &p {script: [p], image: i}\na: {<<: *p, script: [x]}\n", &[" | x"]);
    check("a: {script: [x], rules: [{if: $X, variables: {V: 1}}, {when: always}]}\n", &[" | x", "V=1 | x"]);
    check(
        "a:\n  script: [x]\n  parallel:\n    matrix:\n      - V: [1, 2]\n        W: 3\n      - V: 4\n",
        &["V=1 W=3 | x", "V=2 W=3 | x", "V=4 | x"],
    );
    check("spec: {inputs: {x: {}}}\n---\na: {script: [x]}\n", &[" | x"]);
    check(
        "a:\n  script:\n    - export V=1\n    - W=2 y $V $W\n    - if t; then export V=3; fi\n    - z $V\n",
        &["V=$V | export; y 1 2; t; export; z $V"],
    );
}

#[test]
fn includes_of_the_same_repository() {
    let files = vec![
        ("ci/base.yml", "variables: {V: base}\n.p: {script: [p]}\n"),
        ("ci/more/a.yml", "include: ci/deep.yml\nc: {extends: .p}\n"),
        ("ci/deep.yml", "d: {script: [d]}\ninclude: .gitlab-ci.yml\n"),
    ];
    let text =
        "include:\n  - /ci/base.yml\n  - local: 'ci/more/*.yml'\nvariables: {V: own}\nb: {extends: .p}\n";
    let whole = project(text, files);
    assert_eq!(runs(&whole, "b"), ["V=own | p"]);
    assert_eq!(runs(&whole, "c"), ["V=own | p"]);
    assert_eq!(runs(&whole, "d"), ["V=own | d"]);
    assert!(whole.jobs.iter().all(|job| job.is_whole));
    for elsewhere in [
        "{template: X.yml}",
        "{project: a/b, file: x}",
        "'https://example.com/x.yml'",
        "no.yml",
        "{local: $X}",
    ] {
        let part = project(&format!("include: {elsewhere}\nb: {{script: [x]}}\n"), Vec::new());
        assert!(!part.jobs[0].is_whole, "{elsewhere}");
        assert_eq!(runs(&part, "b"), [" | x"], "{elsewhere}");
    }
}

#[test]
fn scripts_that_jobs_call() {
    let given = [
        (
            ".gitlab-ci.yml",
            "b:\n  variables: {N: 2}\n  script:\n    - ./ci/x.sh\n    - cd web && npm run build\n",
        ),
        ("ci/x.sh", "make -j$N\n"),
        (
            "web/package.json",
            "{\"scripts\": {\"build\": \"npm run inner && tsc\", \"inner\": \"M=1 webpack\"}}",
        ),
    ];
    let given = given.map(|(name, text)| Source { name: name.into(), text: text.into() });
    let project = Project::of(given.to_vec(), &Repository(Vec::new()));
    let expect = "N=2 | ./ci/x.sh; make -j2; cd web; npm run build; npm run inner; webpack; tsc";
    assert_eq!(runs(&project, "b"), [expect]);
}

/// The limit of a job: what it asks for, where the runner lets it, else what the runner gives.
#[test]
fn limits_of_jobs() {
    let check = |asked: &str, runner: &str, expect: Option<&str>| {
        let variables = if asked.is_empty() {
            String::new()
        } else {
            format!("  variables: {{KUBERNETES_MEMORY_LIMIT: {asked}}}\n")
        };
        let mut given =
            vec![Source { name: ".gitlab-ci.yml".into(), text: format!("b:\n{variables}  script: [x]\n") }];
        if !runner.is_empty() {
            let text = format!("[[runners]]\nexecutor = \"kubernetes\"\n[runners.kubernetes]\n{runner}\n");
            given.push(Source { name: "config.toml".into(), text });
        }
        let project = Project::of(given, &Repository(Vec::new()));
        let limit = project.runs[0].limit.as_ref().map(|limit| limit.shown.as_str());
        assert_eq!(limit, expect, "{asked} {runner}");
    };
    let most = "memory_limit = \"2Gi\"\nmemory_limit_overwrite_max_allowed = \"4Gi\"";
    check("", "", None);
    check("3Gi", "", Some("3Gi (KUBERNETES_MEMORY_LIMIT)"));
    check("", "memory_limit = \"2Gi\"", Some("2Gi (memory_limit of the runner)"));
    check("3Gi", "memory_limit = \"2Gi\"", Some("2Gi (memory_limit of the runner)"));
    check("3Gi", most, Some("3Gi (KUBERNETES_MEMORY_LIMIT)"));
    check("5Gi", most, None);
    check("$X", most, None);
}

/// What a tool reads from files of the project is judged by the limit of the job that calls it.
#[test]
fn options_in_files_of_the_project() {
    let given = [
        (
            ".gitlab-ci.yml",
            "b:\n  variables: {KUBERNETES_MEMORY_LIMIT: 2Gi}\n  script: [mvn verify, ./gradlew build]\n",
        ),
        (".mvn/jvm.config", "# heap\n-Xmx4g -XX:+ExitOnOutOfMemoryError\n"),
        ("gradle.properties", "org.gradle.parallel=true\norg.gradle.jvmargs=-Xmx3g\n"),
    ];
    let given = given.map(|(name, text)| Source { name: name.into(), text: text.into() });
    let report = plimsoll_lint::check(given.to_vec(), &Repository(Vec::new()));
    let shown: Vec<String> = report
        .findings
        .iter()
        .map(|finding| format!("{} {} {}", finding.span.file, report.project.raw(finding.span), finding.rule))
        .collect();
    assert_eq!(shown, ["1 -Xmx4g heap-above-limit", "2 -Xmx3g heap-above-limit"]);
}
