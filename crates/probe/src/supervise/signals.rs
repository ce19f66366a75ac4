//! Signals sent to us, and the wake-up when a child ends, as one file descriptor to poll.

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The signals that end a build, in the order they are looked at.
const ENDING: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/// Hears SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGCHLD from now on.
#[derive(Debug)]
pub struct Signals {
    wake: UnixStream,
    received: [Arc<AtomicUsize>; ENDING.len()],
}

impl Signals {
    /// Starts listening. Fails only when the process is out of file descriptors.
    pub fn listen() -> io::Result<Signals> {
        let (wake, sender) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let received: [Arc<AtomicUsize>; ENDING.len()] = Default::default();
        for (signal, flag) in ENDING.iter().zip(&received) {
            signal_hook::flag::register_usize(*signal, flag.clone(), *signal as usize)?;
        }
        for signal in ENDING.iter().chain(&[SIGCHLD]) {
            signal_hook::low_level::pipe::register(*signal, sender.try_clone()?)?;
        }
        Ok(Signals { wake, received })
    }

    /// Readable when something came.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// The ending signal that came since the last call, if one did; empties the wake-up.
    pub fn take(&mut self) -> Option<i32> {
        let mut buffer = [0; 64];
        while matches!(self.wake.read(&mut buffer), Ok(count) if count > 0) {}
        self.received.iter().find_map(|flag| match flag.swap(0, Ordering::SeqCst) {
            0 => None,
            signal => Some(signal as i32),
        })
    }
}
