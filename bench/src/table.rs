//! The table of what was measured, aligned for a terminal and as Markdown, with the goals below it.

use crate::record::{Record, Way};
use plimsoll_core::size::human;
use std::collections::BTreeSet;

const HEAD: [&str; 11] = [
    "case",
    "limit",
    "%",
    "way",
    "passed",
    "exit",
    "kills",
    "attempts",
    "wall",
    "CPU lost",
    "setting or need",
];
/// Ways shown, in this order.
const SHOWN: [Way; 5] = [Way::Plain, Way::Script, Way::Oracle, Way::Cold, Way::Warm];

/// A table, twice.
pub struct Rendered {
    pub text: String,
    pub markdown: String,
}

/// Renders the newest record of each case, limit and way.
pub fn render(records: &[Record], machine: &str) -> Rendered {
    let shown = Shown { records };
    let rows = shown.rows();
    let goals = shown.goals();
    let whole = shown.unlimited();
    let text = format!("{machine}\n{whole}\n{}\n{goals}", aligned(&HEAD, &rows));
    let markdown = format!(
        "Machine: {machine}\n\n```text\n{whole}```\n\n{}\n```text\n{goals}```\n",
        piped(&HEAD, &rows)
    );
    Rendered { text, markdown }
}

struct Shown<'a> {
    records: &'a [Record],
}

impl<'a> Shown<'a> {
    fn find(&self, case: &str, share: Option<u64>, way: Way) -> Option<&'a Record> {
        self.records.iter().rev().find(|record| record.is_of(case, share, way))
    }

    /// Every case and share that has a limit, cases by name, the largest limit first.
    fn bouts(&self) -> Vec<(&'a str, Option<u64>)> {
        let limited =
            self.records.iter().filter_map(|record| record.share.map(|share| (record.case.as_str(), share)));
        let sorted: BTreeSet<_> = limited.map(|(case, share)| (case, std::cmp::Reverse(share))).collect();
        sorted.into_iter().map(|(case, share)| (case, Some(share.0))).collect()
    }

    fn unlimited(&self) -> String {
        let cases: BTreeSet<&str> = self.records.iter().map(|record| record.case.as_str()).collect();
        cases
            .into_iter()
            .filter_map(|case| self.find(case, None, Way::Unlimited))
            .map(|record| {
                let peak = record.peak_bytes.map_or("unknown".to_string(), human);
                format!(
                    "{:<10} plain, no limit: peak {peak}, {:.1} s\n",
                    record.case,
                    record.wall_ms as f64 / 1000.0
                )
            })
            .collect()
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let bouts = self.bouts();
        let found = bouts.iter().flat_map(|(case, share)| SHOWN.map(|way| self.find(case, *share, way)));
        found.flatten().map(|record| self.row(record)).collect()
    }

    fn row(&self, record: &Record) -> Vec<String> {
        let whole = self.find(&record.case, None, Way::Unlimited);
        let wall = whole.map(|whole| record.wall_ms as f64 / whole.wall_ms.max(1) as f64);
        let exit = if record.timed_out { "too long".to_string() } else { record.exit_code.to_string() };
        let need = record.need_bytes.map(|bytes| format!("needs {}", human(bytes)));
        vec![
            record.case.clone(),
            record.limit_bytes.map_or(String::new(), human),
            record.share.map_or(String::new(), |share| share.to_string()),
            record.way.to_string(),
            if record.passed { "yes" } else { "no" }.to_string(),
            exit,
            record.kernel_kills.to_string(),
            record.attempts.to_string(),
            wall.map_or("?".to_string(), |times| format!("{times:.2}x")),
            record.dead_cpu_ms.map_or("?".to_string(), |ms| format!("{:.1} s", ms as f64 / 1000.0)),
            need.or_else(|| record.setting.clone()).unwrap_or_default(),
        ]
    }

    /// The goals of the project, each with what was reached.
    fn goals(&self) -> String {
        let bouts = self.bouts();
        let passable: Vec<_> = bouts
            .iter()
            .filter(|(case, share)| self.find(case, *share, Way::Oracle).is_some_and(|best| best.passed))
            .collect();
        let of_passable = |way: Way| -> Vec<&Record> {
            passable.iter().filter_map(|(case, share)| self.find(case, *share, way)).collect()
        };
        let mut text = format!(
            "{} of {} limits have a fixed setting that passes; of these\n",
            passable.len(),
            bouts.len()
        );
        for (way, goal) in
            [(Way::Plain, ""), (Way::Script, ""), (Way::Cold, " (goal 95 %)"), (Way::Warm, " (goal 100 %)")]
        {
            let measured = of_passable(way);
            let passed = measured.iter().filter(|record| record.passed).count();
            text += &format!("  {way:<6} passes {passed} of {}{goal}\n", measured.len());
        }
        let warm: Vec<_> =
            bouts.iter().filter_map(|(case, share)| self.find(case, *share, Way::Warm)).collect();
        let kills: u64 = warm.iter().map(|record| record.kernel_kills).sum();
        text += &format!("kernel kills once warm: {kills} in {} runs (goal 0)\n", warm.len());
        let slower = |record: &&Record| {
            let best = self.find(&record.case, record.share, Way::Oracle)?;
            record.passed.then(|| record.wall_ms as f64 / best.wall_ms.max(1) as f64)
        };
        let walls: Vec<f64> = of_passable(Way::Warm).iter().filter_map(slower).collect();
        text += &format!(
            "warm wall against the best fixed setting, median: {} (goal 1.1x)\n",
            times(median(walls))
        );
        let errors: Vec<f64> =
            bouts.iter().filter_map(|(case, share)| self.need_error(case, *share)).collect();
        let right = errors.iter().filter(|error| **error <= 0.15).count();
        text + &format!("stops whose 'needs' is within 15 %: {right} of {}\n", errors.len())
    }

    /// How far the stated need lies outside what the sweep found: above the largest limit where nothing passes, up
    /// to the smallest where something does. None without a stop, or where no limit was found to pass.
    fn need_error(&self, case: &str, share: Option<u64>) -> Option<f64> {
        let stopped = [Way::Warm, Way::Cold]
            .into_iter()
            .filter_map(|way| self.find(case, share, way))
            .find(|record| !record.passed)?;
        let need = stopped.need_bytes? as f64;
        let oracles = || {
            self.bouts()
                .into_iter()
                .filter(|(name, _)| *name == case)
                .filter_map(|(name, share)| self.find(name, share, Way::Oracle))
        };
        let enough = oracles().filter(|best| best.passed).filter_map(|best| best.limit_bytes).min()? as f64;
        let short =
            oracles().filter(|best| !best.passed).filter_map(|best| best.limit_bytes).max().unwrap_or(0)
                as f64;
        Some(((need - enough) / enough).max((short - need) / short.max(1.0)).max(0.0))
    }
}

/// The middle of some numbers; none of none.
pub fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let last = numbers.len().checked_sub(1)?;
    Some((numbers[last / 2] + numbers[last.div_ceil(2)]) / 2.0)
}

fn times(ratio: Option<f64>) -> String {
    ratio.map_or("not measured".to_string(), |ratio| format!("{ratio:.2}x"))
}

/// As columns.
pub fn aligned(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|cell| cell.to_string()).collect();
    let all = || std::iter::once(&head).chain(rows);
    let widths: Vec<usize> = (0..head.len())
        .map(|column| all().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    all().map(line).collect()
}

/// As Markdown.
pub fn piped(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    let head: Vec<String> = head.iter().map(|cell| cell.to_string()).collect();
    std::iter::once(line(&head)).chain([rule]).chain(rows.iter().map(|row| line(row))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::size::MIB;

    fn record(share: Option<u64>, way: Way, passed: bool, wall_ms: u64) -> Record {
        Record {
            case: "tsc".into(),
            way,
            share,
            limit_bytes: share.map(|share| share * 10 * MIB),
            passed,
            exit_code: if passed { 0 } else { 137 },
            timed_out: false,
            kernel_kills: 0,
            attempts: 1,
            wall_ms,
            cpu_ms: wall_ms,
            dead_cpu_ms: None,
            peak_bytes: None,
            need_bytes: None,
            setting: None,
        }
    }

    #[test]
    fn medians() {
        let check = |numbers: &[f64], expect: Option<f64>| {
            assert_eq!(median(numbers.to_vec()), expect, "{numbers:?}")
        };
        check(&[], None);
        check(&[3.0], Some(3.0));
        check(&[9.0, 1.0, 2.0], Some(2.0));
        check(&[4.0, 1.0, 2.0, 3.0], Some(2.5));
    }

    #[test]
    fn goals_count_only_what_a_fixed_setting_passes() {
        let stopped = Record { need_bytes: Some(800 * MIB), ..record(Some(50), Way::Warm, false, 5) };
        let records = [
            record(None, Way::Unlimited, true, 100),
            record(Some(100), Way::Oracle, true, 200),
            record(Some(100), Way::Warm, false, 500),
            record(Some(100), Way::Warm, true, 220),
            record(Some(50), Way::Oracle, false, 100),
            stopped,
        ];
        let text = render(&records, "a machine").text;
        assert!(text.contains("1 of 2 limits have a fixed setting that passes"), "{text}");
        assert!(text.contains("warm   passes 1 of 1"), "{text}");
        assert!(text.contains("median: 1.10x"), "{text}");
        assert!(text.contains("within 15 %: 1 of 1"), "{text}");
    }

    #[test]
    fn a_need_outside_what_the_sweep_found_is_an_error() {
        let check = |need_mib: u64, expect: f64| {
            let stopped =
                Record { need_bytes: Some(need_mib * MIB), ..record(Some(50), Way::Warm, false, 5) };
            let records =
                [record(Some(100), Way::Oracle, true, 1), record(Some(50), Way::Oracle, false, 1), stopped];
            let error = Shown { records: &records }.need_error("tsc", Some(50)).expect("it stopped");
            assert!((error - expect).abs() < 1e-9, "{need_mib}: {error}");
        };
        check(700, 0.0);
        check(1000, 0.0);
        check(1200, 0.2);
        check(400, 0.2);
    }
}
