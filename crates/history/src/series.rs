//! Series from a table: `series_id, timestamp (s), bytes [, limit_bytes]`.

use super::HistoryError;
use super::table::{self, Format, number, text};
use plimsoll_core::backtest::packed::Packed;
use plimsoll_core::sizing::Sample;
use plimsoll_core::sizing::unrecorded::kills;
use std::collections::BTreeMap;
use std::path::Path;

const NEEDED: &str = "series_id, timestamp (seconds) and bytes; limit_bytes is optional";
/// Times outside the years 1970 to 2262 are no seconds.
const SECONDS_MAX: f64 = 9.2e9;

/// All series of a file by name, each in the order of time. Of two readings at one time, as two replicas of a
/// scraper leave them, the higher one counts. Kills are read off what was used at which limit.
pub fn of_file(format: Format, path: &Path) -> Result<Vec<Packed>, HistoryError> {
    let mut rows: BTreeMap<String, Rows> = BTreeMap::new();
    let wanted = |name: &str| ["series_id", "timestamp", "bytes", "limit_bytes"].contains(&name);
    table::read(format, path, &wanted, &mut |batch| {
        let ids = table::needed(batch, path, "series_id", NEEDED)?;
        table::needed(batch, path, "timestamp", NEEDED)?;
        table::needed(batch, path, "bytes", NEEDED)?;
        for row in 0..batch.rows {
            let at_s = number(batch, path, "timestamp", row, SECONDS_MAX)?;
            let bytes = number(batch, path, "bytes", row, table::BYTES_MAX)?;
            // What is missing was not read: it is no zero.
            if let (Some(at_s), Some(bytes)) = (at_s, bytes) {
                let sample = Sample { at_ms: (at_s * 1000.0).round() as i64, bytes: bytes.round() as u64 };
                // No limit is written in many ways: nothing, 0, -1.
                let limit = number(batch, path, "limit_bytes", row, table::BYTES_MAX).ok().flatten();
                let id = text(ids, row);
                match rows.get_mut(&id) {
                    Some(rows) => rows.add(sample, limit),
                    None => {
                        let packed = Packed::new(id.clone());
                        rows.entry(id).or_insert(Rows { packed, limits: Vec::new() }).add(sample, limit);
                    }
                }
            }
        }
        Ok(())
    })?;
    if rows.is_empty() {
        return Err(HistoryError::Empty { path: path.display().to_string() });
    }
    Ok(rows.into_values().map(Rows::finish).collect())
}

/// What the rows of a series say.
struct Rows {
    packed: Packed,
    /// Where the limit is another than in the row before: from when on, in milliseconds, and bytes, 0 for none.
    limits: Vec<(i64, u64)>,
}

impl Rows {
    fn add(&mut self, sample: Sample, limit: Option<f64>) {
        self.packed.push(sample);
        let limit_bytes = limit.unwrap_or(0.0) as u64;
        if self.limits.last().map_or(limit_bytes > 0, |(_, last)| *last != limit_bytes) {
            self.limits.push((sample.at_ms, limit_bytes));
        }
    }

    fn finish(mut self) -> Packed {
        self.packed.settle();
        self.limits.sort_unstable();
        self.packed.limit_bytes = self.limits.last().map(|(_, bytes)| *bytes).filter(|bytes| *bytes > 0);
        self.packed.oom_kills = kills(self.packed.samples(), &self.limits);
        self.packed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_csv(text: &str) -> Result<Vec<Packed>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, text).unwrap();
        of_file(Format::Csv, &path)
            .map_err(|error| error.to_string().replace(&path.display().to_string(), "x.csv"))
    }

    #[test]
    fn ordered_by_name_and_time_without_doubles() {
        let text =
            "bytes,series_id,timestamp,limit_bytes\n7,b,60,-1\n5,a,120,9\n,a,180,9\n4,a,60.5,9\n6,a,120,9\n";
        let series = read_csv(text).unwrap();
        let seen: Vec<(&str, Vec<(i64, u64)>)> = series
            .iter()
            .map(|series| (series.id.as_str(), series.samples().map(|s| (s.at_ms, s.bytes)).collect()))
            .collect();
        assert_eq!(seen, [("a", vec![(60_500, 4), (120_000, 6)]), ("b", vec![(60_000, 7)])]);
        assert_eq!([series[0].limit_bytes, series[1].limit_bytes], [Some(9), None]);
    }

    #[test]
    fn the_limit_of_the_time_counts() {
        let text = "series_id,timestamp,bytes,limit_bytes\n\
                    a,60,100,100\na,120,30,100\na,180,100,200\na,240,30,200\na,300,199,200\na,360,50,400\n";
        let series = read_csv(text).unwrap().remove(0);
        let kills: Vec<(i64, u64)> =
            series.oom_kills.iter().map(|kill| (kill.at_ms / 1000, kill.limit_bytes)).collect();
        assert_eq!((kills, series.limit_bytes), (vec![(120, 100), (360, 200)], Some(400)));
    }

    #[test]
    fn mistakes_are_named() {
        let check = |text: &str, expect: &str| assert_eq!(read_csv(text).unwrap_err(), expect);
        check(
            "series_id,bytes\na,1\n",
            "x.csv: there is no column 'timestamp'\nthis needs series_id, timestamp (seconds) and bytes; limit_bytes is optional",
        );
        check(
            "series_id,timestamp,bytes\na,1,1\na,2,much\n",
            "x.csv: column 'bytes', row 2: 'much' is no number\ncorrect the row or leave it out",
        );
        check(
            "series_id,timestamp,bytes\na,1,-5\n",
            "x.csv: column 'bytes', row 1: -5 is not between 0 and 1e15\ncorrect the row or leave it out",
        );
        check(
            "series_id,timestamp,bytes\n",
            "x.csv: there is no row with a reading\ncheck that it is the right file",
        );
    }
}
