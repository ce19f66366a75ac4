//! Sources as they are written on the command line.

use super::HistoryError;
use super::table::Format;
use std::path::PathBuf;
use std::str::FromStr;

/// Where history is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `csv:FILE` or `parquet:FILE`, or a file whose name ends so.
    File(Format, PathBuf),
}

impl FromStr for Source {
    type Err = HistoryError;

    fn from_str(text: &str) -> Result<Source, HistoryError> {
        if let Some((kind, rest)) = text.split_once(':')
            && let Some(format) = Format::named(kind)
        {
            return Ok(Source::File(format, PathBuf::from(rest)));
        }
        let path = PathBuf::from(text);
        let ending = path.extension().and_then(|ending| ending.to_str()).and_then(Format::named);
        ending
            .map(|format| Source::File(format, path))
            .ok_or_else(|| HistoryError::UnknownSource(text.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_written() {
        let check = |text: &str, expect: Option<(Format, &str)>| {
            let expect = expect.map(|(format, path)| Source::File(format, PathBuf::from(path)));
            assert_eq!(text.parse::<Source>().ok(), expect, "{text}");
        };
        check("csv:usage.txt", Some((Format::Csv, "usage.txt")));
        check("csv:-", Some((Format::Csv, "-")));
        check("parquet:/data/x:y.parquet", Some((Format::Parquet, "/data/x:y.parquet")));
        check("usage.csv", Some((Format::Csv, "usage.csv")));
        check("usage.xlsx", None);
        check("", None);
    }
}
