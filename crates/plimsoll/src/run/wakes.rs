//! Wakes: kernel events of the tree that make the watch look before its time.

use plimsoll_probe::cgroup::{Group, oom_event, usage_event};
use plimsoll_probe::psi::{Stall, Trigger};
use rustix::event::{PollFd, PollFlags};
use std::os::fd::{AsFd, OwnedFd};

/// Usage has to cross one of so many equal lines below the budget to wake the watch (cgroup v1).
const LINES: u64 = 8;
/// Lines from which on it is worth it: a quarter of the budget used.
const FIRST_LINE: u64 = 2;
/// While lines are left to draw, the next tick comes after so many milliseconds.
const DRAW_MS: u64 = 20;

/// Room for what an event says: 8 bytes on v1, an inotify record with a name on v2.
const EVENT_BYTES: usize = 512;

/// Descriptors to poll besides the clock.
#[derive(Debug, Default)]
pub struct Wakes {
    pressure: Option<Trigger>,
    /// Readable once a line is crossed or something was killed.
    events: Vec<OwnedFd>,
    /// Lines still to draw in bytes, the lowest last.
    lines: Vec<u64>,
    /// The first tick has been: it comes with the start, where a line would hold up a build that ends at once.
    begun: bool,
}

impl Wakes {
    /// Those this cgroup offers: kernel kills; pressure (some of it has waited for memory for a tenth of half a second) on v2,
    /// usage lines on v1, once they are drawn. What it does not offer, the pace makes up for.
    pub fn arm(group: &Group, budget_bytes: Option<u64>) -> Wakes {
        let pressure = group
            .pressure_path()
            .ok()
            .and_then(|path| Trigger::arm(&path, Stall::Some, 50_000, 500_000).ok());
        let kills = oom_event(group).ok();
        let lines = budget_bytes
            .into_iter()
            .flat_map(|budget| (FIRST_LINE..LINES).rev().map(move |line| budget / LINES * line));
        Wakes { pressure, events: kills.into_iter().collect(), lines: lines.collect(), begun: false }
    }

    /// A tick: draws the next line. Returns how long the next tick may wait at most, in milliseconds. One line a tick
    /// while the build runs, because the kernel waits for all its CPUs each time, some 8 ms.
    pub fn draw_line(&mut self, group: &Group) -> u64 {
        if !std::mem::replace(&mut self.begun, true) {
            return DRAW_MS;
        }
        let Some(bytes) = self.lines.pop() else { return u64::MAX };
        match usage_event(group, bytes) {
            Ok(event) => self.events.push(event),
            Err(_) => self.lines.clear(),
        }
        DRAW_MS
    }

    /// For poll(2).
    pub fn poll_fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        let pressure =
            self.pressure.iter().map(|trigger| PollFd::from_borrowed_fd(trigger.as_fd(), PollFlags::PRI));
        pressure.chain(self.events.iter().map(|event| PollFd::new(event, PollFlags::IN)))
    }

    /// Takes what has been told, so that the next poll waits again.
    pub fn drain(&self) {
        for event in &self.events {
            // Nothing to read is the usual case.
            let _ = rustix::io::read(event, &mut [0u8; EVENT_BYTES]);
        }
    }
}
