//! `plimsoll completions`: a completion script for a shell.

use super::CommandError;
use clap::Args;
use clap_complete::Shell;
use std::io::Write;

/// `plimsoll completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script for `command`.
pub fn run(
    args: &CompletionsArgs,
    mut command: clap::Command,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let name = command.get_name().to_string();
    // The generator panics when it cannot write, and a closed pipe is weather.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    Ok(out.write_all(&script)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_has_a_script() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let mut out = Vec::new();
            let command = clap::Command::new("plimsoll").subcommand(clap::Command::new("budget"));
            run(&CompletionsArgs { shell }, command, &mut out).unwrap();
            assert!(String::from_utf8(out).unwrap().contains("budget"), "{shell}");
        }
    }
}
