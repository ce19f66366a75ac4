//! The best envelope: what a size that may change a few times a day could save, were the future known.
//!
//! Each day is cut into as many stretches as there may be changes, so that what is reserved is least and nothing is passed. It is
//! the floor for whatever follows use: more changes, less slack.

use super::{Decision, Extent, Schedule, Series};
use crate::sizing::DAY_MS;

/// A change comes at the half hours.
const CELL_MS: i64 = DAY_MS / 48;

/// Limits of the best envelope from the first window to the last, in stretches.
pub fn envelope(series: &Series, schedule: &Schedule, changes_per_day: usize) -> Vec<Decision> {
    let windows: Vec<(i64, i64)> = schedule.windows(Extent::of(&series.samples)).collect();
    let (Some((from_ms, _)), Some((_, to_ms))) = (windows.first(), windows.last()) else { return Vec::new() };
    let mut decisions = Vec::new();
    let mut day_ms = *from_ms;
    while day_ms < *to_ms {
        let end_ms = (day_ms + DAY_MS).min(*to_ms);
        decisions.extend(day(series, day_ms, end_ms, changes_per_day.max(1)));
        day_ms = end_ms;
    }
    decisions
}

fn day(series: &Series, from_ms: i64, to_ms: i64, pieces: usize) -> Vec<Decision> {
    let starts: Vec<i64> =
        (0..).map(|number| from_ms + number * CELL_MS).take_while(|at_ms| *at_ms < to_ms).collect();
    let highest = |at_ms: &i64| {
        let window = super::within(&series.samples, *at_ms, (at_ms + CELL_MS).min(to_ms));
        window.iter().map(|sample| sample.bytes).max().unwrap_or(0)
    };
    let cells: Vec<u64> = starts.iter().map(highest).collect();
    let end = |cell: usize| starts.get(cell).copied().unwrap_or(to_ms);
    let piece = |from: usize, to: usize| Decision {
        from_ms: starts[from],
        to_ms: end(to),
        limit_bytes: cells[from..to].iter().copied().max().unwrap_or(0),
    };
    cuts(&cells, pieces)
        .windows(2)
        .map(|cut| piece(cut[0], cut[1]))
        .filter(|piece| piece.limit_bytes > 0)
        .collect()
}

/// Where to cut: 0, the starts of the second and further pieces, and the number of cells. Least is the sum over pieces of the
/// highest cell times the number of cells.
fn cuts(cells: &[u64], pieces: usize) -> Vec<usize> {
    let count = cells.len();
    // least[p][end]: the least cost of the first `end` cells in p + 1 pieces, and where the last of these starts.
    let mut least: Vec<Vec<(u128, usize)>> = Vec::new();
    for piece in 0..pieces.min(count) {
        let mut row = vec![(u128::MAX, 0); count + 1];
        for (end, best) in row.iter_mut().enumerate().skip(1) {
            let mut highest = 0;
            for start in (0..end).rev() {
                highest = highest.max(cells[start]);
                let before = match piece {
                    0 if start == 0 => 0,
                    0 => continue,
                    _ => least[piece - 1][start].0,
                };
                let cost = before.saturating_add(u128::from(highest) * (end - start) as u128);
                if cost < best.0 {
                    *best = (cost, start);
                }
            }
        }
        least.push(row);
    }
    let mut cuts = vec![count];
    let mut end = count;
    for row in least.iter().rev() {
        end = row[end].1;
        cuts.push(end);
        if end == 0 {
            break;
        }
    }
    cuts.reverse();
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cost(cells: &[u64], cuts: &[usize]) -> u64 {
        let piece = |cut: &[usize]| {
            cells[cut[0]..cut[1]].iter().max().copied().unwrap_or(0) * (cut[1] - cut[0]) as u64
        };
        cuts.windows(2).map(piece).sum()
    }

    #[test]
    fn cuts_where_it_pays() {
        let check = |cells: &[u64], pieces: usize, expect: &[usize]| {
            assert_eq!(cuts(cells, pieces), expect, "{cells:?}")
        };
        check(&[1, 1, 9, 9], 1, &[0, 4]);
        check(&[1, 1, 9, 9], 2, &[0, 2, 4]);
        check(&[1, 9, 1, 1], 3, &[0, 1, 2, 4]);
        check(&[5], 4, &[0, 1]);
    }

    proptest! {
        #[test]
        fn none_is_cheaper(cells in prop::collection::vec(0u64..50, 2..9)) {
            let ours = cost(&cells, &cuts(&cells, 3));
            for one in 0..cells.len() {
                for other in one..=cells.len() {
                    let all = [0, one, other, cells.len()];
                    prop_assert!(ours <= cost(&cells, &all), "{all:?}");
                }
            }
            prop_assert!(cost(&cells, &cuts(&cells, 2)) >= ours);
        }
    }
}
