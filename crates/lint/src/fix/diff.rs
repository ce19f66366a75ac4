//! A unified diff of two texts that are mostly the same.

use std::fmt::Write;

/// Lines around a change that are shown.
const AROUND: usize = 3;

/// The diff, as `patch` reads it; empty where there is none. Changes that are far apart are hunks of their own.
pub fn unified(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let mut text = format!("--- a/{name}\n+++ b/{name}\n");
    for hunk in hunks(&changes(&old, &new)) {
        write_hunk(&mut text, &old, &new, &hunk);
    }
    text
}

/// Lines `old.0..old.1` became lines `new.0..new.1`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    old: (usize, usize),
    new: (usize, usize),
}

/// What differs, from the top: after a difference the nearest line that both go on with is looked for.
fn changes(old: &[&str], new: &[&str]) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut from, mut to) = (0, 0);
    while from < old.len() || to < new.len() {
        if from < old.len() && to < new.len() && old[from] == new[to] {
            (from, to) = (from + 1, to + 1);
            continue;
        }
        let (skipped_old, skipped_new) = next_same(&old[from..], &new[to..]);
        changes.push(Change { old: (from, from + skipped_old), new: (to, to + skipped_new) });
        (from, to) = (from + skipped_old, to + skipped_new);
    }
    changes
}

/// How many lines to leave behind on both sides until two are the same; few in all.
fn next_same(old: &[&str], new: &[&str]) -> (usize, usize) {
    for sum in 1..=(old.len() + new.len()) {
        for skipped in 0..=sum.min(old.len()) {
            let other = sum - skipped;
            if skipped < old.len() && other < new.len() && old[skipped] == new[other] {
                return (skipped, other);
            }
        }
        // Fixes change few lines; what is longer is one change.
        if sum > 200 {
            break;
        }
    }
    (old.len(), new.len())
}

/// Changes whose surroundings overlap belong together.
fn hunks(changes: &[Change]) -> Vec<Vec<Change>> {
    let mut hunks: Vec<Vec<Change>> = Vec::new();
    for change in changes {
        match hunks.last_mut() {
            Some(hunk) if hunk.last().is_some_and(|last| change.old.0 <= last.old.1 + 2 * AROUND) => {
                hunk.push(change.clone());
            }
            _ => hunks.push(vec![change.clone()]),
        }
    }
    hunks
}

fn write_hunk(text: &mut String, old: &[&str], new: &[&str], hunk: &[Change]) {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { return };
    let lead = first.old.0.min(AROUND);
    let tail = (old.len() - last.old.1).min(AROUND);
    let (from, until) = (first.old.0 - lead, last.old.1 + tail);
    let (new_from, new_until) = (first.new.0 - lead, last.new.1 + tail);
    let start = |from: usize, until: usize| if until > from { from + 1 } else { from };
    let _ = writeln!(
        text,
        "@@ -{},{} +{},{} @@",
        start(from, until),
        until - from,
        start(new_from, new_until),
        new_until - new_from
    );
    let mut at = from;
    for change in hunk {
        old[at..change.old.0].iter().for_each(|line| write_line(text, ' ', line));
        old[change.old.0..change.old.1].iter().for_each(|line| write_line(text, '-', line));
        new[change.new.0..change.new.1].iter().for_each(|line| write_line(text, '+', line));
        at = change.old.1;
    }
    old[at..until].iter().for_each(|line| write_line(text, ' ', line));
}

fn write_line(text: &mut String, mark: char, line: &str) {
    text.push(mark);
    text.push_str(line);
    if !line.ends_with('\n') {
        text.push_str("\n\\ No newline at end of file\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    #[test]
    fn as_people_know_it() {
        let shown = unified("a.yml", "1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\nfive\n6\n");
        assert_eq!(shown, "--- a/a.yml\n+++ b/a.yml\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+five\n 6\n");
        assert_eq!(unified("a", "x", "x"), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
        /// `patch` makes the one of the other.
        #[test]
        fn patch_takes_it(before in "([ab\n]{0,30})", after in "([ab\n]{0,30})") {
            prop_assume!(before != after && !before.is_empty() && !after.is_empty());
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("f");
            std::fs::write(&file, &before).expect("written");
            let patch = Command::new("patch").args(["-s", "-p1"]).current_dir(folder.path()).stdin(Stdio::piped()).spawn();
            let Ok(mut patch) = patch else { return Ok(()) };
            patch.stdin.take().expect("a pipe").write_all(unified("f", &before, &after).as_bytes()).expect("written");
            prop_assert!(patch.wait().expect("over").success());
            prop_assert_eq!(std::fs::read_to_string(&file).expect("read"), after);
        }
    }
}
