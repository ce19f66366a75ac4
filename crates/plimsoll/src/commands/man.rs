//! `plimsoll man`: the manual page, the commands' own pages after it.

use super::CommandError;
use clap_mangen::Man;
use std::io::Write;

/// Prints the page of `command` and of each command below it.
pub fn run(mut command: clap::Command, out: &mut dyn Write) -> Result<(), CommandError> {
    command.build();
    Man::new(command.clone()).render(out)?;
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        Man::new(below.clone()).render(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_all_commands() {
        let mut out = Vec::new();
        let budget = clap::Command::new("budget").about("Show the budget");
        run(clap::Command::new("plimsoll").subcommand(budget), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches(".TH ").count(), 2, "{text}");
        assert!(text.contains("Show the budget"));
    }
}
