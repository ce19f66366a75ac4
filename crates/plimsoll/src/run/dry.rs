//! `--dry-run`: what the first attempt would be given, and why.

use super::session::Session;
use plimsoll_core::ladder::{self, Move};
use plimsoll_core::size::human;
use std::fmt::Write;

/// The text for stdout.
pub fn text(session: &Session) -> String {
    let mut out = String::new();
    let budget = session.budget.bytes.map_or("unknown".to_string(), human);
    let binding = session.budget.binding.as_deref().unwrap_or("nothing readable");
    let _ = writeln!(out, "budget   {budget}, bound by {binding}");
    let _ = writeln!(out, "job      {} ({})", session.store.profile.job, remembered(session));
    let (setting, reason) = match ladder::start(&session.context()) {
        Move::Run { setting, reason, .. } => (setting, reason),
        Move::Stop { reason, .. } => {
            let _ = writeln!(out, "stops    {reason}");
            return out;
        }
    };
    let prepared = session.setup.prepare(&session.settings, &session.shape, &setting, session.budget.bytes);
    let _ = writeln!(out, "tool     {}", session.shape.tool.unwrap_or("not recognised"));
    let _ = writeln!(out, "mode     {}: {reason}", setting.mode.name());
    let words: Vec<_> = prepared.argv.iter().map(|word| word.to_string_lossy()).collect();
    let _ = writeln!(out, "command  {}", words.join(" "));
    let width =
        prepared.knobs.iter().map(|knob| knob.name.len() + knob.value.len() + 1).max().unwrap_or(0).min(60);
    for knob in &prepared.knobs {
        let set = format!("{}={}", knob.name, knob.value);
        let _ = writeln!(out, "set      {set:width$}  {}", knob.reason);
    }
    for note in &session.notes {
        let _ = writeln!(out, "note     {note}");
    }
    out
}

fn remembered(session: &Session) -> String {
    match session.evidence.runs.len() {
        0 => "never seen before".to_string(),
        1 => "1 run remembered".to_string(),
        runs => format!("{runs} runs remembered"),
    }
}
