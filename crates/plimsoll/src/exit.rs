//! Exit codes of `plimsoll`: all of them, in one place.

use plimsoll_core::outcome::Exit as ChildExit;

/// How `plimsoll` ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Done,
    /// The build's own exit code, or 128 + the signal that ended it.
    Child(ChildExit),
    /// Out of memory; another attempt can pass. Put it into GitLab's `retry: exit_codes`.
    TryAgain,
    /// Out of memory; nothing that fits in the budget can pass.
    NothingFits,
    /// More is off than was allowed: `plimsoll rightsize --fail-over`.
    Over,
    /// Something is as bad as `--fail-on` of `plimsoll check` or `plimsoll report` says.
    Found,
    /// A plan was taken back, because the cluster did not bear it.
    RolledBack,
    /// Somebody else is changing the cluster.
    Held,
    /// A plan did not pass its check, or another has to be taken back first; nothing was changed.
    Refused,
    /// Our own fault, or a mistake on the command line, before the build was started.
    Ours,
    /// The command cannot be executed.
    NotExecutable,
    /// There is no such command.
    NotFound,
}

/// The table as `--help` and the manual show it.
pub const HELP: &str = "\
Exit codes:
  1                 check, report: something is as bad as --fail-on says
  3                 apply: the cluster did not bear the plan, all was taken back
  4                 apply, rollback: somebody else is changing the cluster
  5                 apply: the plan did not pass its check; rollback: a later plan comes first; nothing was changed
  the build's own   when the build ran, whatever its outcome but the next two
  86                out of memory; another attempt can pass (GitLab: retry: exit_codes: [86])
  87                out of memory; nothing that fits in the budget can pass
  88                rightsize --fail-over: a request or limit is off by more than was allowed
  125               a mistake on the command line or in the configuration, or a fault of ours; nothing was started
  126, 127          the command cannot be executed, or there is none, as shells say it";

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            // The kernel gives eight bits to an exit code; a signal's number is below 65.
            Exit::Child(exit) => exit.shell_code() as u8,
            Exit::TryAgain => 86,
            Exit::NothingFits => 87,
            Exit::Over => 88,
            Exit::Found => 1,
            Exit::RolledBack => 3,
            Exit::Held => 4,
            Exit::Refused => 5,
            Exit::Ours => 125,
            Exit::NotExecutable => 126,
            Exit::NotFound => 127,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let check = |exit: Exit, expect| assert_eq!(exit.code(), expect, "{exit:?}");
        check(Exit::Done, 0);
        check(Exit::Child(ChildExit::Code(7)), 7);
        check(Exit::Child(ChildExit::Signal(9)), 137);
        check(Exit::TryAgain, 86);
        check(Exit::NothingFits, 87);
        check(Exit::Over, 88);
        check(Exit::Found, 1);
        check(Exit::Ours, 125);
        check(Exit::NotExecutable, 126);
        check(Exit::NotFound, 127);
    }
}
