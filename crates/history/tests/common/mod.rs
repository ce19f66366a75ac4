//! What tests of servers share: a sink that keeps everything, and a server that does as it is told.

// Each test file takes its part.
#![allow(dead_code, unused_imports)]

pub mod frames;
pub mod reading;
mod scripted;

pub use scripted::{Answer, Asked, Scripted};

use plimsoll_history::{Labels, Point, Sink};
use std::collections::BTreeMap;
use std::io::Write;

/// All points of all series, by label text and time.
#[derive(Default)]
pub struct All {
    pub series: BTreeMap<String, BTreeMap<i64, f64>>,
    current: String,
}

impl Sink for All {
    fn series(&mut self, labels: &Labels) {
        self.current = labels.iter().map(|(name, value)| format!("{name}={value};")).collect();
        self.series.entry(self.current.clone()).or_default();
    }

    fn points(&mut self, points: &[Point]) {
        let series = self.series.get_mut(&self.current).unwrap();
        series.extend(points.iter().map(|point| (point.at_ms, point.value)));
    }
}

/// Bytes as gzip has them.
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}
