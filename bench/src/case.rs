//! A build to measure: a folder below `workloads/` with a template, how to prepare it, and what its limits are set by.

use crate::Failure;
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What `case.json` tells.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    about: String,
    /// The build; `{jobs}` stands for how many jobs at once.
    command: Vec<String>,
    /// Jobs at once as its people run it; absent where the build has no such setting.
    jobs: Option<u64>,
    heap: Option<Heap>,
    /// Shell line that takes away what a run leaves.
    clean: String,
    /// Shell line that succeeds where a run made what it should.
    verify: String,
}

/// Whose heap can be set from outside.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Heap {
    Node,
    Jvm,
}

/// One build, prepared or not.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    sheet: Sheet,
    template: PathBuf,
    pub work: PathBuf,
}

/// How a build is started: the knobs that a script, or a sweep, turns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Setting {
    /// None leaves the runtime's own choice.
    pub heap_mib: Option<u64>,
    /// None leaves what the build's people chose.
    pub jobs: Option<u64>,
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.heap_mib {
            Some(heap_mib) => write!(f, "heap {heap_mib}")?,
            None => write!(f, "default heap")?,
        }
        self.jobs.map_or(Ok(()), |jobs| write!(f, " -j{jobs}"))
    }
}

impl Case {
    fn load(bench: &Path, name: &str) -> Result<Case, Failure> {
        let template = bench.join("workloads").join(name);
        let path = template.join("case.json");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let sheet = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Case { name: name.to_string(), sheet, template, work: bench.join("work").join(name) })
    }

    pub fn about(&self) -> &str {
        &self.sheet.about
    }

    /// Jobs at once where they can be set.
    pub fn jobs(&self) -> Option<u64> {
        self.sheet.jobs
    }

    pub fn has_heap(&self) -> bool {
        self.sheet.heap.is_some()
    }

    /// Fetches and generates what it builds; quick where that is done already.
    pub fn prepare(&self) -> Result<(), Failure> {
        eprintln!("{}: preparing", self.name);
        fs::create_dir_all(&self.work)?;
        let script = self.template.join("prepare.sh");
        let mut command = Command::new("sh");
        command.arg(&script).current_dir(&self.work).env("CASE", &self.template).stdin(Stdio::null());
        if command.status()?.success() { Ok(()) } else { Err(format!("{} failed", script.display()).into()) }
    }

    /// Back to before the first run.
    pub fn clean(&self) -> Result<(), Failure> {
        if self.shell(&self.sheet.clean)? {
            Ok(())
        } else {
            Err(format!("{}: cannot clean", self.name).into())
        }
    }

    /// True where a run made what it should.
    pub fn verify(&self) -> Result<bool, Failure> {
        self.shell(&self.sheet.verify)
    }

    fn shell(&self, line: &str) -> Result<bool, Failure> {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(&self.work);
        Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?.success())
    }

    /// The command line and the variables that start it with a setting.
    pub fn start(&self, setting: Setting) -> (Vec<String>, Vec<(String, String)>) {
        let jobs = setting.jobs.or(self.sheet.jobs).unwrap_or(1).to_string();
        let command = self.sheet.command.iter().map(|word| word.replace("{jobs}", &jobs)).collect();
        let heap = self.sheet.heap.zip(setting.heap_mib).map(|(heap, mib)| match heap {
            Heap::Node => ("NODE_OPTIONS".to_string(), format!("--max-old-space-size={mib}")),
            Heap::Jvm => ("JAVA_TOOL_OPTIONS".to_string(), format!("-Xmx{mib}m")),
        });
        (command, heap.into_iter().collect())
    }
}

/// The cases of these names, or all, by name.
pub fn select(bench: &Path, names: &[String]) -> Result<Vec<Case>, Failure> {
    if !names.is_empty() {
        return names.iter().map(|name| Case::load(bench, name)).collect();
    }
    let folder = bench.join("workloads");
    let mut found: Vec<String> = fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}\nname the bench folder by --bench", folder.display()))?
        .flatten()
        .filter(|entry| entry.path().join("case.json").exists())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    found.iter().map(|name| Case::load(bench, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Vec<Case> {
        select(Path::new(env!("CARGO_MANIFEST_DIR")), &[]).expect("every shipped case loads")
    }

    #[test]
    fn every_case_with_jobs_passes_them_on() {
        for case in shipped() {
            let (command, _) = case.start(Setting { heap_mib: None, jobs: Some(4321) });
            let passed_on = command.iter().any(|word| word.contains("4321"));
            assert_eq!(passed_on, case.jobs().is_some(), "{}", case.name);
            assert!(case.template.join("prepare.sh").exists(), "{}", case.name);
        }
    }

    #[test]
    fn a_heap_is_set_only_where_asked_for_and_possible() {
        for case in shipped() {
            assert!(case.start(Setting::default()).1.is_empty(), "{}", case.name);
            let (_, variables) = case.start(Setting { heap_mib: Some(777), jobs: None });
            let set = variables.iter().any(|(_, value)| value.contains("777"));
            assert_eq!(set, case.has_heap(), "{}", case.name);
        }
    }
}
