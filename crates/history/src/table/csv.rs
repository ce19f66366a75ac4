//! CSV files, row by row.

use super::{BATCH_ROWS, Batch, Cells, HistoryError};
use csv::{ReaderBuilder, StringRecord};
use std::io::Read;
use std::path::Path;

/// A longer row is no row of ours, in bytes: an unclosed quote would take all of the file for one cell.
const ROW_BYTES_MAX: usize = 1 << 20;

pub(super) fn read(
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    take: &mut dyn FnMut(&Batch) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path).map_err(|error| HistoryError::io(path, error))?)
    };
    read_from(input, path, wanted, take)
}

/// As `read`, from anything; `path` is for messages.
fn read_from(
    input: Box<dyn Read>,
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    take: &mut dyn FnMut(&Batch) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    let malformed = |error: csv::Error| HistoryError::malformed(path, "CSV", error);
    let mut reader = ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(Bounded::new(input));
    let headers = reader.headers().map_err(malformed)?.clone();
    let columns: Vec<(usize, String)> = headers
        .iter()
        .enumerate()
        .map(|(index, name)| (index, name.trim_start_matches('\u{feff}').to_string()))
        .filter(|(_, name)| wanted(name))
        .collect();
    let mut rows_before = 0;
    let mut record = StringRecord::new();
    loop {
        let mut cells = vec![Vec::new(); columns.len()];
        let mut rows = 0;
        while rows < BATCH_ROWS && reader.read_record(&mut record).map_err(malformed)? {
            reader.get_mut().row_begins();
            for ((index, _), cells) in columns.iter().zip(&mut cells) {
                cells.push(record.get(*index).unwrap_or("").to_string());
            }
            rows += 1;
        }
        if rows == 0 {
            return Ok(());
        }
        let named = columns.iter().zip(cells).map(|((_, name), cells)| (name.clone(), Cells::Text(cells)));
        take(&Batch { columns: named.collect(), rows, rows_before })?;
        rows_before += rows as u64;
    }
}

/// Ends a row that never ends.
struct Bounded {
    input: Box<dyn Read>,
    since_row: usize,
}

impl Bounded {
    fn new(input: Box<dyn Read>) -> Bounded {
        Bounded { input, since_row: 0 }
    }

    fn row_begins(&mut self) {
        self.since_row = 0;
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.since_row > ROW_BYTES_MAX {
            return Err(std::io::Error::other("a row of more than 1 MiB; is a quote left open?"));
        }
        let bytes = self.input.read(buffer)?;
        self.since_row += bytes;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(text: &str) -> Result<Vec<Batch>, String> {
        let mut batches = Vec::new();
        let input = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
        let mut take = |batch: &Batch| {
            batches.push(batch.clone());
            Ok(())
        };
        read_from(input, Path::new("x.csv"), &|name| name != "skipped", &mut take)
            .map_err(|error| error.to_string())?;
        Ok(batches)
    }

    #[test]
    fn columns_by_name() {
        let text = "\u{feff}series_id, bytes ,skipped\n\"a,b\",1,x\nc,,y\n";
        let read = batches(text).unwrap();
        let expect = [("series_id", ["a,b", "c"]), ("bytes", ["1", ""])];
        let expect =
            expect.map(|(name, cells)| (name.to_string(), Cells::Text(cells.map(String::from).to_vec())));
        assert_eq!(read, [Batch { columns: expect.to_vec(), rows: 2, rows_before: 0 }]);
        assert_eq!(batches("a,b\n").unwrap(), []);
    }

    #[test]
    fn broken_files_are_named() {
        let check = |text: &str, expect: &str| {
            let error = batches(text).unwrap_err();
            assert!(error.starts_with("x.csv: ") && error.contains(expect), "{error}");
        };
        check("a,b\n1\n", "found record with 1 fields");
        check(&format!("a\n\"{}", "x".repeat(3 << 20)), "a row of more than 1 MiB");
    }

    #[test]
    fn many_rows_come_in_batches() {
        let text: String =
            std::iter::once("a\n".to_string()).chain((0..20_000).map(|row| format!("{row}\n"))).collect();
        let read = batches(&text).unwrap();
        assert_eq!(
            read.iter().map(|batch| (batch.rows, batch.rows_before)).collect::<Vec<_>>(),
            [(8192, 0), (8192, 8192), (3616, 16_384)]
        );
    }
}
