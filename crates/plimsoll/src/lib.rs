//! Plimsoll, the program: arguments, configuration, commands, the run, what is remembered and what is shown.

pub mod agent;
pub mod args;
mod called;
pub mod commands;
pub mod config;
pub mod exit;
pub mod homes;
pub mod render;
pub mod run;
pub mod server;
pub mod shim;
pub mod sniff;
pub mod store;

use args::{Cli, Command};
use called::Called;
use clap::{CommandFactory, FromArgMatches};
use commands::CommandError;
use exit::Exit;
use std::io::ErrorKind;
use std::process::ExitCode;

/// Parses the command line, runs the command, maps its end to an exit code.
pub fn main() -> ExitCode {
    let called = Called::by(std::env::args_os().next().as_deref());
    let parsed = called.command(Cli::command()).try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` come here too, and are no mistakes.
            let exit = if error.use_stderr() { Exit::Ours } else { Exit::Done };
            let _ = error.print();
            return ExitCode::from(exit.code());
        }
    };
    let mut out = std::io::stdout().lock();
    let done = match cli.command {
        Command::Run(args) => {
            drop(out);
            return ExitCode::from(run::run(args).code());
        }
        Command::Budget(args) => commands::budget::run(&args, &mut out),
        Command::Check(args) => commands::check::run(&args, &mut out),
        Command::Rightsize(args) => commands::rightsize::run(&args, &mut out),
        Command::Backtest(args) => commands::backtest::run(&args, &mut out),
        Command::Report(args) => commands::report::run(&args, &mut out),
        Command::Plan(args) => commands::plan::run(&args, &mut out),
        Command::Apply(args) => commands::apply::apply(&args, &mut out),
        Command::Rollback(args) => commands::apply::rollback(&args, &mut out),
        Command::History(args) => commands::history::run(&args, &mut out),
        Command::Controller(args) => commands::controller::run(&args, &mut out),
        Command::Agent(args) => commands::agent::run(&args, &mut out),
        Command::Serve(args) => commands::serve::run(&args, &mut out),
        Command::Capacity(args) => commands::capacity::run(&args, &mut out),
        Command::Render(args) => commands::render::run(&args, &mut out),
        Command::Diagnose(args) => commands::diagnose::run(&args, &mut out),
        Command::Crd(args) => commands::crd::run(&args, &mut out),
        Command::Jobs(args) => commands::jobs::run(&args, &mut out),
        Command::Ci(args) => commands::ci::run(&args, &mut out),
        Command::Schema(args) => commands::schema::run(&args, &mut out),
        Command::Completions(args) => commands::completions::run(&args, Cli::command(), &mut out),
        Command::Man => commands::man::run(Cli::command(), &mut out),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that has seen enough (`| head`) is no error.
        Err(CommandError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {}", called.name(), called.text(&error.to_string(), &Cli::command()));
            let exit = match error {
                CommandError::Over { .. } => Exit::Over,
                CommandError::Found { .. } | CommandError::Reported { .. } => Exit::Found,
                CommandError::RolledBack(_) => Exit::RolledBack,
                CommandError::Held(_) => Exit::Held,
                CommandError::Refused(_) | CommandError::Later { .. } => Exit::Refused,
                _ => Exit::Ours,
            };
            ExitCode::from(exit.code())
        }
    }
}
