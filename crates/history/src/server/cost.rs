//! What reading costs a server.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What a server was asked for and what it sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Requests sent.
    pub requests: u64,
    /// Bytes of the answers, unpacked where they were packed.
    pub bytes: u64,
    /// Readings in them.
    pub points: u64,
    /// Since the first request, in seconds.
    pub seconds: f64,
}

/// Counts what is asked for and what comes.
#[derive(Debug)]
pub(super) struct Meter {
    started: Instant,
    requests: AtomicU64,
    bytes: AtomicU64,
    points: AtomicU64,
}

impl Meter {
    pub fn start() -> Meter {
        let zero = || AtomicU64::new(0);
        Meter { started: Instant::now(), requests: zero(), bytes: zero(), points: zero() }
    }

    pub fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub fn points(&self, points: u64) {
        self.points.fetch_add(points, Ordering::Relaxed);
    }

    pub fn cost(&self) -> Cost {
        Cost {
            requests: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            points: self.points.load(Ordering::Relaxed),
            seconds: self.started.elapsed().as_secs_f64(),
        }
    }
}

/// A body whose bytes are counted as they are read.
pub(super) struct Metered<'a, R> {
    pub body: R,
    pub meter: &'a Meter,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.body.read(buffer)?;
        self.meter.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
