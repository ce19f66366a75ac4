//! `plimsoll run`: the session and its parts.

mod attempt;
mod branches;
mod cleanup;
mod cpu;
mod curve;
mod dry;
mod node_reports;
mod open;
mod outputs;
mod pace;
mod report_parts;
mod saved;
mod session;
mod settings;
mod setup;
mod shares;
mod stalls;
mod texts;
mod tree;
mod wakes;
mod watch;

pub use cleanup::Cleanup;

use crate::args::RunArgs;
use crate::exit::Exit;
use plimsoll_probe::supervise::{Signals, become_subreaper};
use settings::Settings;
use std::io::Write;

/// Runs a build.
pub fn run(args: RunArgs) -> Exit {
    let dry_run = args.dry_run;
    let settings = match Settings::resolve(args) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("plimsoll: {error}");
            return Exit::Ours;
        }
    };
    let mut session = open::session(settings);
    if dry_run {
        // A reader that has seen enough is no error.
        let _ = std::io::stdout().write_all(dry::text(&session).as_bytes());
        return Exit::Done;
    }
    if !become_subreaper() {
        session.notes.push("orphans of the build cannot be adopted; some may escape a clean-up".into());
    }
    match Signals::listen() {
        Ok(mut signals) => session.run(&mut signals),
        Err(error) => {
            eprintln!(
                "plimsoll: cannot listen for signals: {error}\nthe process may be out of file descriptors"
            );
            Exit::Ours
        }
    }
}
