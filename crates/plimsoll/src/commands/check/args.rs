//! Arguments of `plimsoll check`.

use clap::{Args, ValueEnum, ValueHint};
use plimsoll_lint::finding::Severity;
use std::io::IsTerminal;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  plimsoll check
  plimsoll check .gitlab-ci.yml runner/values.yaml k8s/
  plimsoll check --diff
  plimsoll check -o gitlab-codequality > gl-code-quality-report.json
  helm template charts/web | plimsoll check - --stdin-name web.yaml
  plimsoll check --explain retry-misses-oom

A comment `# plimsoll: allow RULE reason` on a line, or above it, allows what is found there.";

/// `plimsoll check`
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", crate::exit::HELP))]
pub struct CheckArgs {
    /// Files and folders, `-` for stdin; all are read together [default: what is known by its name, from here on down]
    #[arg(value_name = "FILES", value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
    /// The form
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t = CheckForm::Text)]
    pub output: CheckForm,
    /// Mend what can be mended without a decision
    #[arg(long)]
    pub fix: bool,
    /// Show what --fix would change, and change nothing
    #[arg(long)]
    pub diff: bool,
    /// Leave a rule out; may be given more than once
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// End with 1 where something is as bad as this
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = FailOn::Error)]
    pub fail_on: FailOn,
    /// Name of what comes by stdin: it says what it is
    #[arg(long, value_name = "NAME", default_value = "stdin.yaml")]
    pub stdin_name: String,
    /// List the rules
    #[arg(long)]
    pub list: bool,
    /// Print the page of a rule
    #[arg(long, value_name = "RULE")]
    pub explain: Option<String>,
}

/// `--output`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckForm {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// SARIF 2.1.0, for what collects findings of many tools.
    Sarif,
    /// A report for GitLab's artifacts:reports:codequality.
    GitlabCodequality,
}

/// `--fail-on`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Only what does not do what it says.
    Error,
    /// Also what costs memory or a build now and then.
    Warning,
    /// Whatever is found.
    Info,
    /// Nothing.
    Never,
}

impl FailOn {
    /// The least severity that fails; `None` where nothing does.
    pub fn severity(self) -> Option<Severity> {
        match self {
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Info => Some(Severity::Info),
            FailOn::Never => None,
        }
    }
}

impl CheckArgs {
    /// Whether a file was named, not found.
    pub fn names(&self, name: &str) -> bool {
        let is_it = |path: &PathBuf| super::found::shown(path) == name || path.as_os_str() == "-";
        self.files.iter().any(is_it)
    }

    /// Colours are for terminals, and for those who want them (<https://no-color.org>).
    pub fn is_coloured(&self) -> bool {
        let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        std::io::stdout().is_terminal() && !is_unwanted
    }
}
