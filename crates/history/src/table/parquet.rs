//! Parquet files: flat columns, a row group at a time, a batch of rows at a time.

use super::{BATCH_ROWS, Batch, Cells, HistoryError};
use parquet::basic::{ConvertedType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use std::path::Path;

pub(super) fn read(
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    take: &mut dyn FnMut(&Batch) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    let malformed = |error: ParquetError| HistoryError::malformed(path, "Parquet", error);
    let file = std::fs::File::open(path).map_err(|error| HistoryError::io(path, error))?;
    let reader = SerializedFileReader::new(file).map_err(malformed)?;
    let columns = columns(&reader, wanted);
    let mut rows_before = 0;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(malformed)?;
        let mut readers = open(group.as_ref(), &columns).map_err(malformed)?;
        let rows_in_group = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
        let mut left = rows_in_group;
        while left > 0 {
            let rows = left.min(BATCH_ROWS as u64) as usize;
            let cells = columns
                .iter()
                .zip(&mut readers)
                .map(|((_, name), (reader, levels))| Ok((name.clone(), cells(reader, *levels, rows)?)));
            let columns = cells.collect::<Result<Vec<_>, ParquetError>>().map_err(malformed)?;
            take(&Batch { columns, rows, rows_before })?;
            rows_before += rows as u64;
            left -= rows as u64;
        }
    }
    Ok(())
}

/// Index and name of the flat columns that are wanted; a nested one is not ours.
fn columns(reader: &impl FileReader, wanted: &dyn Fn(&str) -> bool) -> Vec<(usize, String)> {
    let schema = reader.metadata().file_metadata().schema_descr();
    let flat = schema.columns().iter().enumerate().filter(|(_, column)| {
        column.path().parts().len() == 1 && column.max_rep_level() == 0 && is_readable(column)
    });
    flat.map(|(index, column)| (index, column.name().to_string())).filter(|(_, name)| wanted(name)).collect()
}

fn is_readable(column: &parquet::schema::types::ColumnDescriptor) -> bool {
    match column.physical_type() {
        Type::INT32 | Type::INT64 => column.converted_type() != ConvertedType::DECIMAL,
        Type::BOOLEAN | Type::FLOAT | Type::DOUBLE | Type::BYTE_ARRAY => true,
        Type::INT96 | Type::FIXED_LEN_BYTE_ARRAY => false,
    }
}

/// Readers of the columns, each with the level at which a value is there.
fn open(
    group: &dyn RowGroupReader,
    columns: &[(usize, String)],
) -> Result<Vec<(ColumnReader, i16)>, ParquetError> {
    let schema = group.metadata().schema_descr();
    columns
        .iter()
        .map(|(index, _)| Ok((group.get_column_reader(*index)?, schema.column(*index).max_def_level())))
        .collect()
}

fn cells(reader: &mut ColumnReader, present: i16, rows: usize) -> Result<Cells, ParquetError> {
    let numbers = Cells::Numbers;
    Ok(match reader {
        ColumnReader::BoolColumnReader(reader) => {
            numbers(values(reader, present, rows, f64::NAN, |value| f64::from(u8::from(*value)))?)
        }
        ColumnReader::Int32ColumnReader(reader) => {
            numbers(values(reader, present, rows, f64::NAN, |value| f64::from(*value))?)
        }
        // Exact up to 2^53: 8 PiB, or the year 287,396 in milliseconds.
        ColumnReader::Int64ColumnReader(reader) => {
            numbers(values(reader, present, rows, f64::NAN, |value| *value as f64)?)
        }
        ColumnReader::FloatColumnReader(reader) => {
            numbers(values(reader, present, rows, f64::NAN, |value| f64::from(*value))?)
        }
        ColumnReader::DoubleColumnReader(reader) => {
            numbers(values(reader, present, rows, f64::NAN, |value| *value)?)
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            let text =
                |value: &parquet::data_type::ByteArray| String::from_utf8_lossy(value.data()).into_owned();
            Cells::Text(values(reader, present, rows, String::new(), text)?)
        }
        ColumnReader::Int96ColumnReader(_) | ColumnReader::FixedLenByteArrayColumnReader(_) => {
            return Err(ParquetError::General("a column of a type that is not read".into()));
        }
    })
}

/// The next rows of a column, with `missing` where there is no value.
fn values<T: DataType, V: Clone>(
    reader: &mut ColumnReaderImpl<T>,
    present: i16,
    rows: usize,
    missing: V,
    convert: impl Fn(&T::T) -> V,
) -> Result<Vec<V>, ParquetError> {
    let (mut levels, mut read) = (Vec::new(), Vec::new());
    while (if present > 0 { levels.len() } else { read.len() }) < rows {
        let before = levels.len().max(read.len());
        let (records, ..) = reader.read_records(rows - before, Some(&mut levels), None, &mut read)?;
        if records == 0 {
            return Err(ParquetError::General(format!("a column ends {} rows early", rows - before)));
        }
    }
    if present == 0 {
        return Ok(read.iter().map(convert).collect());
    }
    let mut read = read.iter();
    let next = |level: &i16| if *level == present { read.next().map(&convert) } else { None };
    Ok(levels.iter().map(next).map(|value| value.unwrap_or_else(|| missing.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    fn written(path: &Path) {
        let schema =
            "message m { required binary series_id (UTF8); optional int64 bytes; optional double mean; }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let file = std::fs::File::create(path).unwrap();
        let mut writer =
            SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::default())).unwrap();
        for _ in 0..2 {
            let mut group = writer.next_row_group().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            let ids = ["a", "b", "c"].map(ByteArray::from);
            column.typed::<ByteArrayType>().write_batch(&ids, None, None).unwrap();
            column.close().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<Int64Type>().write_batch(&[1, 3], Some(&[1, 0, 1]), None).unwrap();
            column.close().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<DoubleType>().write_batch(&[0.5], Some(&[0, 0, 1]), None).unwrap();
            column.close().unwrap();
            group.close().unwrap();
        }
        writer.close().unwrap();
    }

    #[test]
    fn missing_values_stay_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        written(&path);
        let mut seen = Vec::new();
        read(&path, &|name| name != "mean", &mut |batch| {
            seen.push(batch.clone());
            Ok(())
        })
        .unwrap();
        assert_eq!(
            seen.iter().map(|batch| (batch.rows, batch.rows_before)).collect::<Vec<_>>(),
            [(3, 0), (3, 3)]
        );
        let (name, Cells::Numbers(bytes)) = &seen[1].columns[1] else { panic!("{seen:?}") };
        assert_eq!((name.as_str(), bytes[0], bytes[1].is_nan(), bytes[2]), ("bytes", 1.0, true, 3.0));
        assert_eq!(seen[0].columns[0].1, Cells::Text(["a", "b", "c"].map(String::from).to_vec()));
        assert_eq!(seen[0].columns.len(), 2);
    }

    #[test]
    fn a_broken_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        written(&path);
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 4, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            let error = read(&path, &|_| true, &mut |_| Ok(())).unwrap_err().to_string();
            assert!(
                error.contains("x.parquet: ") && error.ends_with("check that it is a whole Parquet file"),
                "{error}"
            );
        }
    }
}
