//! Histories, packed: a backtest has those of all containers at hand, in 2 to 4 bytes a sample instead of 16.
//!
//! Samples come at an even pace and memory moves by whole pages, so that what is written of a sample is by how much it
//! differs from the one before, and its time only where the pace changes.

use super::{Extent, Series};
use crate::sizing::{OomKill, Sample};

/// Memory is counted in pages, of so many bytes at the least.
const PAGE_BYTES: i64 = 4096;
/// Set where the pace changed: the change follows.
const PACE: u128 = 1;
/// Set where the difference is in whole pages.
const PAGES: u128 = 2;
/// Samples out of order are set aside until there are so many of them, and half as many as there are in all.
const LATE_MIN: usize = 4096;

/// The history of one container, packed.
#[derive(Debug, Clone, Default)]
pub struct Packed {
    /// Its name.
    pub id: String,
    /// Kills in the order of time.
    pub oom_kills: Vec<OomKill>,
    /// The limit it has at the end, in bytes, where that is known.
    pub limit_bytes: Option<u64>,
    written: Vec<u8>,
    count: usize,
    first_ms: i64,
    last: Pace,
    /// The latest, which another of the same time may outdo.
    latest: Option<Sample>,
    late: Vec<Sample>,
}

/// Where writing or reading has come to.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    at_ms: i64,
    gap_ms: i64,
    bytes: u64,
}

impl Packed {
    /// Of this name, without a sample yet.
    pub fn new(id: impl Into<String>) -> Packed {
        Packed { id: id.into(), ..Packed::default() }
    }

    /// A history that is at hand, packed.
    pub fn of(series: &Series) -> Packed {
        let mut packed = Packed {
            oom_kills: series.oom_kills.clone(),
            limit_bytes: series.limit_bytes,
            ..Packed::new(series.id.clone())
        };
        series.samples.iter().for_each(|sample| packed.push(*sample));
        packed.settle();
        packed
    }

    /// Takes a sample. Of two at one time, as two replicas of a scraper leave them, the higher one counts. Samples may come
    /// out of order, but [`settle`](Packed::settle) has to follow the last one.
    pub fn push(&mut self, sample: Sample) {
        match &mut self.latest {
            Some(latest) if sample.at_ms == latest.at_ms => latest.bytes = latest.bytes.max(sample.bytes),
            Some(latest) if sample.at_ms < latest.at_ms => {
                self.late.push(sample);
                if self.late.len() >= LATE_MIN.max(self.count / 2) {
                    self.settle();
                }
            }
            _ => {
                if let Some(before) = self.latest.replace(sample) {
                    self.write(before);
                }
            }
        }
    }

    /// Puts samples that came out of order where they belong.
    pub fn settle(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let late = std::mem::take(&mut self.late);
        let mut samples: Vec<Sample> = self.samples().chain(late).collect();
        samples.sort_unstable_by_key(|sample| (sample.at_ms, std::cmp::Reverse(sample.bytes)));
        samples.dedup_by_key(|sample| sample.at_ms);
        self.written.clear();
        (self.count, self.last, self.latest) = (0, Pace::default(), None);
        samples.into_iter().for_each(|sample| self.push(sample));
    }

    fn write(&mut self, sample: Sample) {
        if self.count == 0 {
            self.first_ms = sample.at_ms;
        }
        self.count += 1;
        let gap_ms = sample.at_ms.wrapping_sub(self.last.at_ms);
        let moved = sample.bytes.wrapping_sub(self.last.bytes) as i64;
        let (moved, pages) = if moved % PAGE_BYTES == 0 { (moved / PAGE_BYTES, PAGES) } else { (moved, 0) };
        let pace = if gap_ms == self.last.gap_ms { 0 } else { PACE };
        varint(&mut self.written, u128::from(zigzag(moved)) << 2 | pages | pace);
        if pace == PACE {
            varint(&mut self.written, u128::from(zigzag(gap_ms.wrapping_sub(self.last.gap_ms))));
        }
        self.last = Pace { at_ms: sample.at_ms, gap_ms, bytes: sample.bytes };
    }

    /// Its samples in the order of time.
    pub fn samples(&self) -> Samples<'_> {
        Samples { written: &self.written, now: Pace::default(), latest: self.latest }
    }

    /// All of it, unpacked.
    pub fn open(&self) -> Series {
        let mut samples = Vec::with_capacity(self.count + 1);
        samples.extend(self.samples());
        Series {
            id: self.id.clone(),
            samples,
            oom_kills: self.oom_kills.clone(),
            limit_bytes: self.limit_bytes,
        }
    }

    /// When its last sample was taken, in milliseconds since 1970.
    pub fn last_ms(&self) -> Option<i64> {
        self.latest.map(|latest| latest.at_ms)
    }

    /// From when to when it goes; `None` of fewer than two samples.
    pub fn extent(&self) -> Option<Extent> {
        let last_ms = self.latest?.at_ms;
        let gap_ms = last_ms.wrapping_sub(self.last.at_ms);
        (self.count > 0).then_some(Extent { first_ms: self.first_ms, last_ms, gap_ms })
    }
}

/// Reads samples back; see [`Packed::samples`].
#[derive(Debug, Clone)]
pub struct Samples<'a> {
    written: &'a [u8],
    now: Pace,
    latest: Option<Sample>,
}

impl Iterator for Samples<'_> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        let Some(head) = read_varint(&mut self.written) else { return self.latest.take() };
        if head & PACE != 0 {
            let change = unzigzag(read_varint(&mut self.written)? as u64);
            self.now.gap_ms = self.now.gap_ms.wrapping_add(change);
        }
        let moved = unzigzag((head >> 2) as u64);
        let moved = if head & PAGES != 0 { moved.wrapping_mul(PAGE_BYTES) } else { moved };
        self.now.at_ms = self.now.at_ms.wrapping_add(self.now.gap_ms);
        self.now.bytes = self.now.bytes.wrapping_add(moved as u64);
        Some(Sample { at_ms: self.now.at_ms, bytes: self.now.bytes })
    }
}

/// Numbers near 0 on either side as small ones.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn varint(written: &mut Vec<u8>, mut number: u128) {
    while number > 0x7f {
        written.push(number as u8 | 0x80);
        number >>= 7;
    }
    written.push(number as u8);
}

fn read_varint(written: &mut &[u8]) -> Option<u128> {
    let mut number = 0;
    let mut shift = 0;
    loop {
        let (byte, rest) = written.split_first()?;
        *written = rest;
        number |= u128::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_minute_of_pages_takes_three_bytes() {
        let bytes = |minute: i64| ((1000 + minute * 7919 % 64) * PAGE_BYTES) as u64;
        let samples = (0..10_000).map(|minute| Sample { at_ms: minute * 60_000, bytes: bytes(minute) });
        let packed = Packed::of(&Series { samples: samples.collect(), ..Series::default() });
        assert!(packed.written.len() < 2 * 10_000 + 20, "{}", packed.written.len());
    }

    proptest! {
        /// In whatever order they come, the samples are those of a sorted list without doubles.
        #[test]
        fn nothing_is_lost(
            samples in prop::collection::vec((any::<i64>(), any::<u64>()), 0..50),
            paced in prop::collection::vec((0i64..3000, 0u64..1 << 40), 0..200),
        ) {
            let mut packed = Packed::new("a");
            let mut expect: BTreeMap<i64, u64> = BTreeMap::new();
            for (at_ms, bytes) in samples.into_iter().chain(paced) {
                packed.push(Sample { at_ms, bytes });
                let known = expect.entry(at_ms).or_default();
                *known = bytes.max(*known);
            }
            packed.settle();
            let read: Vec<(i64, u64)> = packed.samples().map(|sample| (sample.at_ms, sample.bytes)).collect();
            let expect: Vec<(i64, u64)> = expect.into_iter().collect();
            prop_assert_eq!(read, expect);
            prop_assert_eq!(packed.extent(), Extent::of(&packed.open().samples));
        }
    }
}
