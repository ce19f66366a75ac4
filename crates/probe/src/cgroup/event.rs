//! Event files: descriptors that wake a poll when the kernel kills, or usage crosses a line.

use super::file::{self, Refusal};
use super::group::Group;
use super::layout::Version;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{Mode, OFlags, inotify};
use rustix::io::Errno;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

/// A descriptor that becomes readable (`POLLIN`) when the cgroup runs out of memory. Read it empty, then look at
/// [`Group::oom_kills`]: it says that something happened, not what.
pub fn oom_event(group: &Group) -> Result<OwnedFd, Refusal> {
    match group.version() {
        Version::V1 => eventfd_on(group, "memory.oom_control", None),
        Version::V2 => {
            let path = group.dir().join("memory.events");
            let watch = || {
                let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
                inotify::add_watch(&watch, &path, inotify::WatchFlags::MODIFY)?;
                Ok(watch)
            };
            watch().map_err(refused(&path))
        }
    }
}

/// A descriptor that becomes readable (`POLLIN`) each time usage, page cache included, crosses `bytes` (v1 only).
pub fn usage_event(group: &Group, bytes: u64) -> Result<OwnedFd, Refusal> {
    match group.version() {
        Version::V1 => eventfd_on(group, "memory.usage_in_bytes", Some(bytes)),
        Version::V2 => Err(Refusal::new(group.dir(), "cgroup v2 has no usage thresholds")),
    }
}

/// v1: an eventfd, tied to a file of the cgroup by a line in `cgroup.event_control`.
fn eventfd_on(group: &Group, name: &str, argument: Option<u64>) -> Result<OwnedFd, Refusal> {
    let path = group.dir().join(name);
    let event = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).map_err(refused(&path))?;
    let watched =
        rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(refused(&path))?;
    let argument = argument.map(|bytes| format!(" {bytes}")).unwrap_or_default();
    let line = format!("{} {}{argument}", event.as_raw_fd(), watched.as_raw_fd());
    file::write(&group.dir().join("cgroup.event_control"), &line)?;
    Ok(event)
}

fn refused(path: &Path) -> impl Fn(Errno) -> Refusal {
    move |errno| Refusal::io(path, &errno.into())
}
