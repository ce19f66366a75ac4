//! How we are called: `plimsoll`, or `kubectl plimsoll`, which is a file `kubectl-plimsoll` on the path that kubectl runs.

use clap::Command;
use std::ffi::OsStr;
use std::path::Path;

/// By which name people call us, and see us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called {
    /// `plimsoll`, whatever the file is called.
    Plainly,
    /// `kubectl plimsoll`
    ByKubectl,
}

impl Called {
    /// By the first argument, which is the file that was run.
    pub fn by(program: Option<&OsStr>) -> Called {
        let name = program.and_then(|path| Path::new(path).file_name());
        if name == Some(OsStr::new("kubectl-plimsoll")) { Called::ByKubectl } else { Called::Plainly }
    }

    /// What to type.
    pub fn name(self) -> &'static str {
        match self {
            Called::Plainly => "plimsoll",
            Called::ByKubectl => "kubectl plimsoll",
        }
    }

    /// The command line with usage and examples as they are to be typed.
    pub fn command(self, command: Command) -> Command {
        if self == Called::Plainly {
            return command;
        }
        let words = words(&command);
        self.renamed(command, &words).bin_name(self.name())
    }

    fn renamed(self, command: Command, words: &[String]) -> Command {
        let help = command.get_after_help().map(|help| rewritten(&help.to_string(), words));
        let command = match help {
            Some(help) => command.after_help(help),
            None => command,
        };
        command.mut_subcommands(|below| self.renamed(below, words))
    }

    /// A text that says what to type, for whoever calls us like this.
    pub fn text(self, text: &str, command: &Command) -> String {
        match self {
            Called::Plainly => text.to_string(),
            Called::ByKubectl => rewritten(text, &words(command)),
        }
    }
}

/// `plimsoll COMMAND` of all commands.
fn words(command: &Command) -> Vec<String> {
    command.get_subcommands().map(|below| format!("plimsoll {}", below.get_name())).collect()
}

fn rewritten(text: &str, words: &[String]) -> String {
    words.iter().fold(text.to_string(), |text, words| text.replace(words, &format!("kubectl {words}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory;

    #[test]
    fn names() {
        let check = |program: Option<&str>, expect: &str| {
            assert_eq!(Called::by(program.map(OsStr::new)).name(), expect, "{program:?}");
        };
        check(Some("/usr/local/bin/kubectl-plimsoll"), "kubectl plimsoll");
        check(Some("kubectl-plimsoll"), "kubectl plimsoll");
        check(Some("plimsoll"), "plimsoll");
        check(Some("/opt/plimsoll-1.2"), "plimsoll");
        check(None, "plimsoll");
    }

    #[test]
    fn what_to_type() {
        let help = |called: Called| {
            let mut command = called.command(Cli::command());
            command.build();
            command.find_subcommand_mut("apply").expect("there is one").render_help().to_string()
        };
        assert_eq!(help(Called::Plainly).matches("kubectl").count(), 0);
        let by_kubectl = help(Called::ByKubectl);
        assert!(by_kubectl.contains("Usage: kubectl plimsoll apply"), "{by_kubectl}");
        assert!(by_kubectl.contains("  kubectl plimsoll apply plan.json\n"), "{by_kubectl}");
        let text = "nothing was changed\nsee plimsoll history, and plimsoll.yaml";
        let expect = "nothing was changed\nsee kubectl plimsoll history, and plimsoll.yaml";
        assert_eq!(Called::ByKubectl.text(text, &Cli::command()), expect);
        assert_eq!(Called::Plainly.text(text, &Cli::command()), text);
    }
}
