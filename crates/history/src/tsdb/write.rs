//! Writes blocks: for tests and fuzzing, which need blocks of their own making, of any version.

use crate::chunk::encode::xor;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A series to write: its labels, sorted by name, and its chunks, each an encoding and what is in it.
pub struct Series {
    /// Label and value.
    pub labels: Vec<(String, String)>,
    /// The number of an encoding and times in milliseconds and values, which are packed as XOR whatever it is.
    pub chunks: Vec<(u8, Vec<(i64, f64)>)>,
}

/// The files of a block.
#[derive(Clone)]
pub struct Files {
    /// `meta.json`
    pub meta: Vec<u8>,
    /// `index`
    pub index: Vec<u8>,
    /// `chunks/000001`
    pub segment: Vec<u8>,
    /// `tombstones`
    pub tombstones: Vec<u8>,
}

impl Files {
    /// A block with an index of a version, and tombstones: the number of a series, from when to when.
    pub fn new(version: u8, series: &[Series], stones: &[(usize, i64, i64)]) -> Files {
        let samples = || series.iter().flat_map(|series| &series.chunks).flat_map(|(_, samples)| samples);
        let from_ms = samples().map(|(at_ms, _)| *at_ms).min().unwrap_or(0);
        let to_ms = samples().map(|(at_ms, _)| *at_ms + 1).max().unwrap_or(0);
        let meta = format!(r#"{{"version":1,"minTime":{from_ms},"maxTime":{to_ms},"stats":{{}}}}"#);
        let mut segment = [&0x85bd_40ddu32.to_be_bytes()[..], &[1, 0, 0, 0]].concat();
        let chunks: Vec<Vec<u64>> = series.iter().map(|series| chunks(&mut segment, series)).collect();
        let (index, references) = index(version, series, &chunks);
        let mut tombstones = Vec::new();
        for (number, from_ms, to_ms) in stones {
            uvarint(&mut tombstones, references[*number]);
            varint(&mut tombstones, *from_ms);
            varint(&mut tombstones, *to_ms);
        }
        let sum = crc32c::crc32c(&tombstones).to_be_bytes();
        let tombstones = [&0x0130_ba30u32.to_be_bytes()[..], &[1], &tombstones, &sum].concat();
        Files { meta: meta.into_bytes(), index, segment, tombstones }
    }

    /// Writes them into a folder, which is then a block.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder.join("chunks"))?;
        std::fs::write(folder.join("meta.json"), &self.meta)?;
        std::fs::write(folder.join("index"), &self.index)?;
        std::fs::write(folder.join("chunks/000001"), &self.segment)?;
        std::fs::write(folder.join("tombstones"), &self.tombstones)
    }
}

/// Appends a series' chunks to a segment; where each begins.
fn chunks(segment: &mut Vec<u8>, series: &Series) -> Vec<u64> {
    let mut places = Vec::new();
    for (encoding, samples) in &series.chunks {
        places.push(segment.len() as u64);
        let packed = xor(samples);
        uvarint(segment, packed.len() as u64);
        summed(segment, &[&[*encoding], &packed[..]].concat());
    }
    places
}

/// An index, and the references of the series in it.
fn index(version: u8, series: &[Series], chunks: &[Vec<u64>]) -> (Vec<u8>, Vec<u64>) {
    let mut index = [&0xbaaa_d700u32.to_be_bytes()[..], &[version]].concat();
    let symbols_at = index.len() as u64;
    let symbols = symbols(&mut index, version, series);
    let mut references = Vec::new();
    for (series, chunks) in series.iter().zip(chunks) {
        let align = if version == 1 { 1 } else { 16 };
        index.resize(index.len().next_multiple_of(align), 0);
        references.push((index.len() / align) as u64);
        let entry = entry(series, chunks, &symbols);
        uvarint(&mut index, entry.len() as u64);
        summed(&mut index, &entry);
    }
    let postings_at = postings(&mut index, version, series, &references);
    let contents = [symbols_at, 0, 0, 0, 0, postings_at].map(u64::to_be_bytes).concat();
    summed(&mut index, &contents);
    (index, references)
}

/// Appends the table of symbols; how each is referred to.
fn symbols(index: &mut Vec<u8>, version: u8, series: &[Series]) -> BTreeMap<String, u64> {
    let pairs = series.iter().flat_map(|series| &series.labels);
    let symbols: BTreeSet<String> = pairs.flat_map(|(label, value)| [label.clone(), value.clone()]).collect();
    let start = index.len() as u64 + 4;
    let mut table = (symbols.len() as u32).to_be_bytes().to_vec();
    let mut references = BTreeMap::new();
    for (number, symbol) in symbols.into_iter().enumerate() {
        let reference = if version == 1 { start + table.len() as u64 } else { number as u64 };
        string(&mut table, &symbol);
        references.insert(symbol, reference);
    }
    section(index, &table);
    references
}

fn entry(series: &Series, chunks: &[u64], symbols: &BTreeMap<String, u64>) -> Vec<u8> {
    let mut entry = Vec::new();
    uvarint(&mut entry, series.labels.len() as u64);
    for (label, value) in &series.labels {
        uvarint(&mut entry, symbols[label]);
        uvarint(&mut entry, symbols[value]);
    }
    uvarint(&mut entry, chunks.len() as u64);
    let mut before = None;
    for (place, (_, samples)) in chunks.iter().zip(&series.chunks) {
        let (first_ms, last_ms) = (samples[0].0, samples[samples.len() - 1].0);
        match before {
            None => varint(&mut entry, first_ms),
            Some((last_ms, _)) => uvarint(&mut entry, (first_ms - last_ms) as u64),
        }
        uvarint(&mut entry, (last_ms - first_ms) as u64);
        match before {
            None => uvarint(&mut entry, *place),
            Some((_, before)) => varint(&mut entry, *place as i64 - before as i64),
        }
        before = Some((last_ms, *place));
    }
    entry
}

/// Appends the postings and their table; where that begins. The table of version 1 is not sorted.
fn postings(index: &mut Vec<u8>, version: u8, series: &[Series], references: &[u64]) -> u64 {
    let mut lists: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
    lists.insert(Default::default(), references.to_vec());
    for (series, reference) in series.iter().zip(references) {
        for pair in &series.labels {
            lists.entry(pair.clone()).or_default().push(*reference);
        }
    }
    let mut entries = Vec::new();
    for ((label, value), list) in &lists {
        let mut entry = vec![2];
        string(&mut entry, label);
        string(&mut entry, value);
        uvarint(&mut entry, index.len() as u64);
        entries.push(entry);
        let numbers = std::iter::once(list.len() as u64).chain(list.iter().copied());
        section(index, &numbers.flat_map(|number| (number as u32).to_be_bytes()).collect::<Vec<u8>>());
    }
    if version == 1 {
        // In some order that is not that of the labels.
        entries.sort_by_key(|entry| entry.iter().rev().copied().collect::<Vec<u8>>());
    }
    let at = index.len() as u64;
    section(index, &[(entries.len() as u32).to_be_bytes().to_vec(), entries.concat()].concat());
    at
}

fn section(file: &mut Vec<u8>, bytes: &[u8]) {
    file.extend((bytes.len() as u32).to_be_bytes());
    summed(file, bytes);
}

fn summed(file: &mut Vec<u8>, bytes: &[u8]) {
    file.extend(bytes);
    file.extend(crc32c::crc32c(bytes).to_be_bytes());
}

fn string(bytes: &mut Vec<u8>, text: &str) {
    uvarint(bytes, text.len() as u64);
    bytes.extend(text.as_bytes());
}

fn uvarint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn varint(bytes: &mut Vec<u8>, number: i64) {
    uvarint(bytes, (number << 1 ^ number >> 63) as u64);
}
