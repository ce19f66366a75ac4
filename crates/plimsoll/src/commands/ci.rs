//! `plimsoll ci`: configuration for a CI system.

use super::CommandError;
use clap::{Args, Subcommand};
use std::io::Write;

/// `plimsoll ci`
#[derive(Debug, Args)]
pub struct CiArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The retry block that catches every kind of memory death
    Retry {
        /// For .gitlab-ci.yml
        #[arg(long, required = true)]
        gitlab: bool,
    },
}

const GITLAB_RETRY: &str = "\
# Into the job that calls plimsoll run; keep its store in the job's cache, so that a retry starts below what died.
retry:
  max: 2  # GitLab allows 0, 1 or 2; without it, `when` and `exit_codes` retry nothing
  when:
    - runner_system_failure  # the kernel killed the whole container, plimsoll included
  exit_codes:
    - 86   # plimsoll: out of memory, another attempt can pass
    - 137  # the container's main process was killed (SIGKILL)
# 87 is left out: nothing that fits in the job's memory can pass, so give it more.
";

/// Prints it.
pub fn run(args: &CiArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    match args.what {
        What::Retry { .. } => print_retry(out),
    }
}

pub(crate) fn print_retry(out: &mut dyn Write) -> Result<(), CommandError> {
    Ok(out.write_all(GITLAB_RETRY.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn the_block_is_yaml_with_our_codes() {
        let yaml: serde_json::Value = serde_saphyr::from_str(GITLAB_RETRY).unwrap();
        let expect = serde_json::json!({
            "retry": {"max": 2, "when": ["runner_system_failure"], "exit_codes": [Exit::TryAgain.code(), 137]}
        });
        assert_eq!(yaml, expect);
    }
}
