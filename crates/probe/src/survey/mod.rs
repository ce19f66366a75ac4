//! A survey: all cgroups of a machine that hold somebody's processes, and what each uses, cheap enough to be asked again and again.
//!
//! [`Hierarchy`] says where cgroups are mounted, [`walk`] which of them count, [`Reader`] what one holds, [`name`] whose it is by its
//! path. A cgroup may vanish at any moment: then there is no reading of it, which is no error.

mod environment;
pub mod heap;
mod hierarchy;
pub mod kernel_log;
pub mod name;
mod reading;
mod walk;
mod watch;

pub use environment::{ci_of, parse_ci};
pub use hierarchy::Hierarchy;
pub use reading::{Reader, Reading};
pub use walk::{Choice, Found, GROUPS_MAX, Walked, walk};
pub use watch::KillWatch;

/// What a CI job says of itself, as far as it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ci {
    /// Path of the project, such as `shop/web`.
    pub project: String,
    /// Name of the job.
    pub job: String,
    /// Stage it is in.
    pub stage: String,
}
