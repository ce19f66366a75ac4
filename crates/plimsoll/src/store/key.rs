//! The key of a job: project, job name and the command's shape.

use std::path::Path;

/// What a job is remembered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The repository, or the folder's name.
    pub project: String,
    /// The job's name.
    pub job: String,
    /// The command's shape.
    pub command: String,
}

/// Words kept of a command's shape.
const WORDS_MAX: usize = 16;
/// And characters of it.
const CHARS_MAX: usize = 120;

impl Key {
    /// From `--job`, the CI system's variables, and the command.
    pub fn new(
        job: Option<&str>,
        command: &[String],
        env: impl Fn(&str) -> Option<String>,
        folder: &Path,
    ) -> Key {
        let first =
            |names: &[&str]| names.iter().find_map(|name| env(name).filter(|value| !value.is_empty()));
        let folder_name =
            || folder.file_name().map_or("project".into(), |name| name.to_string_lossy().into_owned());
        let shape = shape(command);
        Key {
            project: first(&["CI_PROJECT_PATH", "GITHUB_REPOSITORY"]).unwrap_or_else(folder_name),
            job: job
                .map(str::to_string)
                .or_else(|| first(&["CI_JOB_NAME", "GITHUB_JOB"]))
                .unwrap_or_else(|| shape.clone()),
            command: shape,
        }
    }

    /// A file name that is readable and not shared with another key.
    pub fn file_name(&self) -> String {
        let readable: String =
            self.job.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
        let whole = format!("{}\0{}\0{}", self.project, self.job, self.command);
        format!("{}-{:016x}.json", readable.trim_matches('-'), fnv1a(whole.as_bytes()))
    }
}

/// The program and its words without what changes from run to run: no paths' folders, no numbers (`make -j8` and
/// `/usr/bin/make -j4` are the same job), no commits or other names with digits in their midst.
pub fn shape(command: &[String]) -> String {
    // A shell's text is one word of the command and many of a person's.
    let words = command.iter().flat_map(|word| word.split_whitespace());
    let words = words.map(|word| stable(word.rsplit('/').next().unwrap_or(word)));
    let words: Vec<String> = words.filter(|word| !word.is_empty()).take(WORDS_MAX).collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect()
}

/// A word with its trailing numbers taken off, and `#` for each name with a digit elsewhere.
fn stable(word: &str) -> String {
    word.split_inclusive(|c: char| !c.is_alphanumeric())
        .map(|piece| {
            let name = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
            let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
            let is_mixed = stem.contains(|c: char| c.is_ascii_digit());
            format!("{}{}", if is_mixed { "#" } else { stem }, &piece[name.len()..])
        })
        .collect()
}

/// FNV-1a, 64 bits: the same on every machine and in every version, which `std`'s hasher does not promise.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_leave_out_what_changes() {
        let check = |command: &[&str], expect: &str| {
            let command: Vec<String> = command.iter().map(ToString::to_string).collect();
            assert_eq!(shape(&command), expect);
        };
        check(&["make", "-j8"], "make -j");
        check(&["/usr/bin/make", "-j4"], "make -j");
        check(&["npm", "run", "build"], "npm run build");
        check(&["docker", "build", "-t", "app:3f2a9c1", "."], "docker build -t app:# .");
        check(&["pytest", "-n", "16", "tests"], "pytest -n tests");
        check(&["sh", "-c", "echo a\nb"], "sh -c echo a b");
        check(&["sh", "-c", "cd web/app &&  npm run build"], "sh -c cd app && npm run build");
    }

    #[test]
    fn keys_from_flag_ci_and_command() {
        let env = |name: &str| (name == "CI_JOB_NAME").then(|| "build app".to_string());
        let make = ["make".to_string()];
        let key = Key::new(None, &make, env, Path::new("/src/app"));
        assert_eq!(
            (key.project.as_str(), key.job.as_str(), key.command.as_str()),
            ("app", "build app", "make")
        );
        assert!(key.file_name().starts_with("build-app-") && key.file_name().ends_with(".json"));
        assert_eq!(Key::new(Some("mine"), &make, env, Path::new("/src/app")).job, "mine");
        assert_eq!(Key::new(None, &make, |_| None, Path::new("/src/app")).job, "make");
        assert_ne!(
            Key::new(None, &make, |_| None, Path::new("/a")).file_name(),
            Key::new(None, &make, |_| None, Path::new("/b")).file_name()
        );
    }
}
