//! What a CI job says of itself in the environment of its processes. Three variables are read and nothing else is kept: an environment
//! is full of secrets.

use super::Ci;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// More of an environment is not read; those of CI jobs have some tens of KiB.
const ENVIRONMENT_MAX_BYTES: u64 = 512 << 10;

/// The job that all of these processes that tell belong to. `None` where none of them may be asked; empty where none tells, or where
/// they tell different jobs, as those of a runner do.
pub fn ci_of(root: &Path, pids: &[u32]) -> Option<Ci> {
    let mut seen: Option<Ci> = None;
    let mut bytes = Vec::new();
    let (mut is_allowed, mut is_refused) = (false, false);
    for pid in pids {
        bytes.clear();
        let file = match File::open(root.join(format!("proc/{pid}/environ"))) {
            Ok(file) => file,
            // It may have ended, too.
            Err(error) => {
                is_refused |= error.kind() == ErrorKind::PermissionDenied;
                continue;
            }
        };
        is_allowed = true;
        if file.take(ENVIRONMENT_MAX_BYTES).read_to_end(&mut bytes).is_err() {
            continue;
        }
        let ci = parse_ci(&bytes);
        match &seen {
            _ if ci == Ci::default() => {}
            Some(before) if *before != ci => return Some(Ci::default()),
            _ => seen = Some(ci),
        }
    }
    (is_allowed || !is_refused).then(|| seen.unwrap_or_default())
}

/// Of the text of `/proc/PID/environ`: GitLab's names (docs.gitlab.com, "Predefined CI/CD variables").
pub fn parse_ci(environ: &[u8]) -> Ci {
    let value = |name: &str| {
        let of = |entry: &[u8]| {
            let rest = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            std::str::from_utf8(rest).ok().map(str::to_string)
        };
        environ.split(|byte| *byte == 0).find_map(of).unwrap_or_default()
    };
    Ci { project: value("CI_PROJECT_PATH"), job: value("CI_JOB_NAME"), stage: value("CI_JOB_STAGE") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn three_variables_are_read() {
        let ci = |project: &str, job: &str, stage: &str| Ci {
            project: project.into(),
            job: job.into(),
            stage: stage.into(),
        };
        let check = |text: &[u8], expect: Ci| {
            assert_eq!(parse_ci(text), expect, "{}", String::from_utf8_lossy(text));
        };
        check(
            b"PATH=/bin\0CI_JOB_NAME=build: [a, b]\0CI_PROJECT_PATH=shop/web\0CI_JOB_STAGE=test\0GITLAB_USER_LOGIN=jane\0",
            ci("shop/web", "build: [a, b]", "test"),
        );
        check(b"CI_JOB_NAME_SLUG=x\0XCI_JOB_NAME=y\0CI_PROJECT_PATH", ci("", "", ""));
        check(b"CI_JOB_NAME=\xff\xfe\0CI_JOB_STAGE=a=b", ci("", "", "a=b"));
        check(b"", ci("", "", ""));
    }

    #[test]
    fn processes_of_several_jobs_are_nobodys() {
        let root = tempfile::tempdir().expect("temp dir");
        let process = |pid: u32, job: Option<&str>| {
            let folder = root.path().join(format!("proc/{pid}"));
            fs::create_dir_all(&folder).expect("a folder");
            let job = job.map(|job| format!("CI_PROJECT_PATH=shop/web\0CI_JOB_NAME={job}\0"));
            fs::write(folder.join("environ"), format!("A=1\0{}", job.unwrap_or_default())).expect("a file");
        };
        process(1, Some("build"));
        process(2, None);
        process(3, Some("test"));
        let job = |pids: &[u32]| ci_of(root.path(), pids).map(|ci| ci.job);
        assert_eq!(job(&[1, 2, 1]).as_deref(), Some("build"));
        assert_eq!(job(&[1, 3]).as_deref(), Some(""));
        assert_eq!(job(&[2, 9]).as_deref(), Some(""));
        assert_eq!(job(&[9]).as_deref(), Some(""), "it has ended");
        assert_eq!(job(&[]).as_deref(), Some(""));
    }
}
