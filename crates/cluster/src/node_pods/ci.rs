//! Which CI job a pod does, by what GitLab's runner puts on it.
//!
//! | what | where | since |
//! |---|---|---|
//! | project | annotation `job.runner.gitlab.com/url`: `https://HOST/PROJECT/-/jobs/ID` | 15.9 |
//! | else | labels `project.runner.gitlab.com/namespace` and `/name`, which hold no slash of nested groups | 15.9 |
//! | job | annotation `job.runner.gitlab.com/name` | 15.9 |
//! | stage | variable `CI_JOB_STAGE` of a container, as the runner gives each all public variables of the job | always |
//!
//! Sources: gitlab-runner's `docs/executors/kubernetes/_index.md` ("Default labels for job pods", "Default annotations for job pods") and
//! `executors/kubernetes/util.go`, `buildVariables`. Neither labels nor annotations tell the stage. Variables tell project and job too
//! (`CI_PROJECT_PATH`, `CI_JOB_NAME`), for older runners. Nothing else is read of what pods carry, and nothing of who started the job.

use std::collections::BTreeMap;

/// Annotation with the job's address.
pub const JOB_URL: &str = "job.runner.gitlab.com/url";
/// Annotation with the job's name.
pub const JOB_NAME: &str = "job.runner.gitlab.com/name";
/// Label with the name of the project's namespace.
pub const PROJECT_NAMESPACE: &str = "project.runner.gitlab.com/namespace";
/// Label with the project's name.
pub const PROJECT_NAME: &str = "project.runner.gitlab.com/name";
/// Variables that are read.
pub const VARIABLES: [&str; 3] = ["CI_PROJECT_PATH", "CI_JOB_NAME", "CI_JOB_STAGE"];

/// A job; empty where nothing tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CiJob {
    /// Path of the project.
    pub project: String,
    /// Name of the job.
    pub job: String,
    /// Its stage.
    pub stage: String,
}

type Marks = BTreeMap<String, String>;

/// The job of a pod. `variables` are those of [`VARIABLES`] that its containers have.
pub fn job(labels: &Marks, annotations: &Marks, variables: &BTreeMap<&str, &str>) -> CiJob {
    let variable = |name: &str| variables.get(name).map(|value| value.to_string());
    let project = annotations.get(JOB_URL).and_then(|url| project_of(url));
    let labelled = || Some(format!("{}/{}", labels.get(PROJECT_NAMESPACE)?, labels.get(PROJECT_NAME)?));
    CiJob {
        project: project.or_else(|| variable("CI_PROJECT_PATH")).or_else(labelled).unwrap_or_default(),
        job: annotations.get(JOB_NAME).cloned().or_else(|| variable("CI_JOB_NAME")).unwrap_or_default(),
        stage: variable("CI_JOB_STAGE").unwrap_or_default(),
    }
}

/// `https://HOST/PROJECT/-/jobs/ID`
fn project_of(url: &str) -> Option<String> {
    let (before, _) = url.split_once("/-/jobs/")?;
    let (_, path) = before.split_once("://")?.1.split_once('/')?;
    (!path.is_empty()).then(|| path.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_a_job_is() {
        let marks = |all: &[(&str, &str)]| -> Marks {
            all.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
        };
        let check = |labels: &[(&str, &str)],
                     annotations: &[(&str, &str)],
                     variables: &[(&str, &str)],
                     expect: [&str; 3]| {
            let found = job(&marks(labels), &marks(annotations), &variables.iter().copied().collect());
            assert_eq!([&*found.project, &*found.job, &*found.stage], expect);
        };
        let labels = [(PROJECT_NAMESPACE, "web"), (PROJECT_NAME, "shop")];
        let annotations =
            [(JOB_URL, "https://gitlab.example.com/group/web/shop/-/jobs/7"), (JOB_NAME, "build: [a]")];
        check(&labels, &annotations, &[("CI_JOB_STAGE", "test")], ["group/web/shop", "build: [a]", "test"]);
        check(&labels, &[], &[], ["web/shop", "", ""]);
        check(&labels[..1], &[], &[], ["", "", ""]);
        check(&[], &[], &[("CI_PROJECT_PATH", "a/b"), ("CI_JOB_NAME", "c")], ["a/b", "c", ""]);
        for url in
            ["", "https://gitlab.example.com/-/jobs/7", "gitlab.example.com/a/-/jobs/7", "https://x/a/jobs/7"]
        {
            check(&[], &[(JOB_URL, url)], &[], ["", "", ""]);
        }
    }
}
