//! Tables: columns by name, in batches of rows, whatever the file format.

mod csv;
mod parquet;

use super::HistoryError;
use std::path::Path;

/// Rows are handed on in batches of at most so many.
const BATCH_ROWS: usize = 8192;

/// More than any machine has, in bytes.
pub const BYTES_MAX: f64 = 1e15;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header, RFC 4180.
    Csv,
    /// Apache Parquet, flat columns.
    Parquet,
}

impl Format {
    /// By the name in `csv:FILE` and the ending of a file.
    pub fn named(name: &str) -> Option<Format> {
        match name {
            "csv" => Some(Format::Csv),
            "parquet" => Some(Format::Parquet),
            _ => None,
        }
    }
}

/// Cells of one column in a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// As text; empty where there is none.
    Text(Vec<String>),
    /// As numbers; not a number where there is none.
    Numbers(Vec<f64>),
}

/// Some rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Columns in the order of the file.
    pub columns: Vec<(String, Cells)>,
    /// Rows in each.
    pub rows: usize,
    /// Rows of the file before these.
    pub rows_before: u64,
}

impl Batch {
    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<&Cells> {
        self.columns.iter().find(|(column, _)| column == name).map(|(_, cells)| cells)
    }
}

/// Reads a table and hands on its rows in order. `wanted` says of which columns; of a CSV, `-` is the standard input.
pub fn read(
    format: Format,
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    take: &mut dyn FnMut(&Batch) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    match format {
        Format::Csv => csv::read(path, wanted, take),
        Format::Parquet => parquet::read(path, wanted, take),
    }
}

/// A column that has to be there, or the error that says so.
pub fn needed<'a>(
    batch: &'a Batch,
    path: &Path,
    column: &str,
    needed: &'static str,
) -> Result<&'a Cells, HistoryError> {
    batch.column(column).ok_or_else(|| HistoryError::NoColumn {
        path: path.display().to_string(),
        column: column.to_string(),
        needed,
    })
}

/// A cell as text.
pub fn text(cells: &Cells, row: usize) -> String {
    match cells {
        Cells::Text(texts) => texts[row].clone(),
        Cells::Numbers(numbers) if numbers[row].is_nan() => String::new(),
        Cells::Numbers(numbers) => numbers[row].to_string(),
    }
}

/// A cell as a number between 0 and `most`; `None` where there is none.
pub fn number(
    batch: &Batch,
    path: &Path,
    column: &str,
    row: usize,
    most: f64,
) -> Result<Option<f64>, HistoryError> {
    let number = match batch.column(column) {
        None => Ok(None),
        Some(Cells::Numbers(numbers)) => Ok(Some(numbers[row])),
        Some(Cells::Text(texts)) => match texts[row].trim() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| format!("'{}' is no number", shortened(text))),
        },
    };
    let bounded = number.and_then(|number| match number.filter(|number| !number.is_nan()) {
        Some(value) if !(0.0..=most).contains(&value) => {
            Err(format!("{value} is not between 0 and {most:e}"))
        }
        value => Ok(value),
    });
    bounded.map_err(|problem| HistoryError::Cell {
        path: path.display().to_string(),
        column: column.to_string(),
        row: batch.rows_before + row as u64 + 1,
        problem,
    })
}

fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    let start: String = text.chars().take(CHARS_MAX).collect();
    if start.len() < text.len() { start + "..." } else { start }
}
