//! The tee: the build's output on its way to ours, byte for byte, with a tap that looks at it.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Bytes moved at once: what a Linux pipe holds by default.
const CHUNK_BYTES: usize = 64 * 1024;
/// How often a silent stream looks whether the command has ended.
const IDLE: Duration = Duration::from_millis(50);
/// A daemon the build left behind may hold the stream open and go on writing; we leave it after this.
const DRAIN_MAX: Duration = Duration::from_secs(2);

/// A thread that copies one stream.
#[derive(Debug)]
pub struct Tee<T> {
    thread: JoinHandle<T>,
    ended: Arc<AtomicBool>,
}

impl<T: Send + 'static> Tee<T> {
    /// Copies `from` to `to` until `from` ends, showing every chunk to `look`. When `to` is closed, `from` is
    /// closed as well, so that the build gets the same SIGPIPE it would have got without us.
    pub fn start(
        from: OwnedFd,
        to: OwnedFd,
        tap: T,
        look: impl FnMut(&mut T, &[u8]) + Send + 'static,
    ) -> std::io::Result<Tee<T>> {
        let ended = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("tee".into()).stack_size(128 * 1024).spawn({
            let ended = ended.clone();
            move || copy(File::from(from), File::from(to), tap, look, &ended)
        })?;
        Ok(Tee { thread, ended })
    }

    /// The command has ended: copies what is still in the pipe and gives the tap back.
    pub fn finish(self) -> Option<T> {
        self.ended.store(true, Ordering::Release);
        self.thread.join().ok()
    }
}

fn copy<T>(
    mut from: File,
    mut to: File,
    mut tap: T,
    mut look: impl FnMut(&mut T, &[u8]),
    ended: &AtomicBool,
) -> T {
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut ended_at: Option<Instant> = None;
    loop {
        let was_ended = ended.load(Ordering::Acquire);
        if was_ended && ended_at.get_or_insert_with(Instant::now).elapsed() > DRAIN_MAX {
            return tap;
        }
        match readable(&from) {
            Ok(true) => {}
            Ok(false) if was_ended => return tap,
            Ok(false) => continue,
            Err(_) => return tap,
        }
        match from.read(&mut buffer) {
            Ok(0) => return tap,
            Ok(count) => {
                look(&mut tap, &buffer[..count]);
                if to.write_all(&buffer[..count]).is_err() {
                    return tap;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return tap,
        }
    }
}

/// Waits up to [`IDLE`] for something to read, or for the end of the stream.
fn readable(from: &File) -> rustix::io::Result<bool> {
    let mut fds = [PollFd::new(from, PollFlags::IN)];
    let timeout = Timespec { tv_sec: 0, tv_nsec: IDLE.as_nanos() as _ };
    match poll(&mut fds, Some(&timeout)) {
        Ok(count) => Ok(count > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::pipe;

    #[test]
    fn every_byte_passes_and_is_seen() {
        let (from, writer) = pipe().unwrap();
        let (reader, to) = pipe().unwrap();
        let tee = Tee::start(from, to, 0usize, |seen, chunk| *seen += chunk.len()).unwrap();
        let sent: Vec<u8> = (0..1_000_000u32).map(|n| (n % 251) as u8).collect();
        let expect = sent.clone();
        let feed = std::thread::spawn(move || File::from(writer).write_all(&sent).unwrap());
        let mut got = Vec::new();
        let mut reader = File::from(reader);
        let mut chunk = vec![0; 4096];
        while got.len() < expect.len() {
            let count = reader.read(&mut chunk).unwrap();
            got.extend_from_slice(&chunk[..count]);
        }
        feed.join().unwrap();
        assert_eq!(tee.finish(), Some(expect.len()));
        assert!(got == expect);
    }

    #[test]
    fn a_daemon_that_keeps_the_stream_does_not_keep_us() {
        let (from, _held_by_a_daemon) = pipe().unwrap();
        let (_reader, to) = pipe().unwrap();
        let tee = Tee::start(from, to, (), |_, _| {}).unwrap();
        let started = Instant::now();
        tee.finish();
        assert!(started.elapsed() < DRAIN_MAX);
    }

    #[test]
    fn a_closed_reader_closes_the_build_s_end() {
        let (from, writer) = pipe().unwrap();
        let (reader, to) = pipe().unwrap();
        drop(reader);
        let tee = Tee::start(from, to, (), |_, _| {}).unwrap();
        let mut writer = File::from(writer);
        writer.write_all(b"x").unwrap();
        while writer.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
        tee.finish();
    }
}
