//! Linux as it really is: cgroups v1 and v2, /proc, PSI, process supervision, the jobserver.
//!
//! Everything reads under a root path, so that a test's fake kernel is a directory.

pub mod cgroup;
pub mod gauge;
pub mod host;
pub mod jobserver;
mod kilobytes;
pub mod proc;
pub mod psi;
pub mod supervise;
pub mod survey;
