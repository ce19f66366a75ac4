//! The live line: on a terminal one line that is rewritten, in CI a plain line now and then.

use super::words;
use plimsoll_core::mode::Mode;
use plimsoll_core::size::human;
use std::io::{self, IsTerminal, Write};

/// Least time between two drawings on a terminal, in milliseconds: the build's own output shares the screen.
const TERMINAL_EVERY_MS: u64 = 1_000;
/// Time between two lines in a log, in milliseconds.
const LOG_EVERY_MS: u64 = 30_000;
/// Least time between two lines in a log when a freeze begins or ends, in milliseconds.
const LOG_FREEZE_EVERY_MS: u64 = 10_000;
/// Cells of the bar.
const BAR_CELLS: usize = 8;
/// To the line's begin, and clear it.
const CLEAR: &str = "\r\x1b[K";

/// The live line of one attempt, on stderr.
#[derive(Debug)]
pub struct Live<W: Write = io::Stderr> {
    out: W,
    quiet: bool,
    terminal: bool,
    shown_ms: Option<u64>,
    shown_frozen: bool,
    drawn: bool,
}

impl Live {
    /// On stderr; `quiet` shows nothing.
    pub fn new(quiet: bool) -> Live {
        let out = io::stderr();
        let terminal = out.is_terminal();
        Live::on(out, quiet, terminal)
    }
}

impl<W: Write> Live<W> {
    fn on(out: W, quiet: bool, terminal: bool) -> Live<W> {
        Live { out, quiet, terminal, shown_ms: None, shown_frozen: false, drawn: false }
    }

    /// Shows the state at `now_ms` after the run's start, if it is time to. A screen that cannot be written to
    /// changes nothing for the build.
    pub fn show(
        &mut self,
        now_ms: u64,
        used_bytes: Option<u64>,
        budget: Option<u64>,
        mode: Mode,
        some_percent: Option<f64>,
        frozen: usize,
    ) {
        if self.quiet || !self.is_due(now_ms, frozen > 0) {
            return;
        }
        let text = line(now_ms, used_bytes, budget, mode, some_percent, frozen);
        let _ = if self.terminal { write!(self.out, "{CLEAR}{text}") } else { writeln!(self.out, "{text}") };
        let _ = self.out.flush();
        self.shown_ms = Some(now_ms);
        self.shown_frozen = frozen > 0;
        self.drawn = self.terminal;
    }

    /// Takes the line off the terminal.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(self.out, "{CLEAR}");
            let _ = self.out.flush();
        }
    }

    /// A log's first line comes after a full interval, so that a short build leaves none.
    fn is_due(&self, now_ms: u64, frozen: bool) -> bool {
        let since_ms = self.shown_ms.map(|shown| now_ms.saturating_sub(shown));
        if self.terminal {
            return since_ms.is_none_or(|since| since >= TERMINAL_EVERY_MS);
        }
        let every_ms = if frozen == self.shown_frozen { LOG_EVERY_MS } else { LOG_FREEZE_EVERY_MS };
        match since_ms {
            None if frozen => true,
            None => now_ms >= LOG_EVERY_MS,
            Some(since) => since >= every_ms,
        }
    }
}

fn line(
    now_ms: u64,
    used: Option<u64>,
    budget: Option<u64>,
    mode: Mode,
    some: Option<f64>,
    frozen: usize,
) -> String {
    let mut parts = vec![format!("plimsoll {}", mode.name())];
    match (used, budget) {
        (Some(used), Some(budget)) => {
            parts.push(format!("{}/{} {}", human(used), human(budget), bar(used, budget)))
        }
        (Some(used), None) => parts.push(human(used)),
        (None, _) => {}
    }
    parts.extend(some.map(|some| format!("some {some:.0} %")));
    parts.extend((frozen > 0).then(|| format!("frozen {frozen}")));
    parts.push(words::duration(now_ms / 1000 * 1000).replace(".0 s", " s"));
    parts.join("  ")
}

fn bar(used: u64, budget: u64) -> String {
    let cells = (used as f64 / budget.max(1) as f64 * BAR_CELLS as f64).round() as usize;
    let cells = cells.min(BAR_CELLS);
    format!("[{}{}]", "#".repeat(cells), "-".repeat(BAR_CELLS - cells))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::size::GIB;

    /// Shows (time, frozen) in turn and returns what was written.
    fn shown(quiet: bool, terminal: bool, times: &[(u64, usize)]) -> String {
        let mut live = Live::on(Vec::new(), quiet, terminal);
        for (now_ms, frozen) in times {
            live.show(*now_ms, Some(GIB), Some(2 * GIB), Mode::Critical, Some(3.2), *frozen);
        }
        live.clear();
        String::from_utf8(live.out).unwrap()
    }

    #[test]
    fn a_terminal_has_one_line_that_is_cleared() {
        let text = shown(false, true, &[(0, 0), (500, 0), (83_000, 2)]);
        assert_eq!(
            text,
            "\r\x1b[Kplimsoll critical  1.0 GiB/2.0 GiB [####----]  some 3 %  0 s\
             \r\x1b[Kplimsoll critical  1.0 GiB/2.0 GiB [####----]  some 3 %  frozen 2  1:23\r\x1b[K"
        );
    }

    #[test]
    fn a_log_has_few_lines() {
        let check = |times: &[(u64, usize)], lines| {
            let text = shown(false, false, times);
            assert_eq!(text.lines().count(), lines, "{times:?}: {text}");
            assert!(!text.contains('\x1b'));
        };
        check(&[(0, 0), (29_999, 0)], 0);
        check(&[(30_000, 0), (59_000, 0), (60_000, 0)], 2);
        check(&[(5_000, 1), (6_000, 0), (15_000, 0), (16_000, 1), (25_000, 1)], 3);
    }

    #[test]
    fn quiet_says_nothing() {
        assert_eq!(shown(true, true, &[(0, 0), (60_000, 1)]), "");
    }
}
