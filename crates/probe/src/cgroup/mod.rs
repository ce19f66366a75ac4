//! Control groups as they are: v1, v2 and hybrid, in and out of containers, writable or not.
//!
//! [`Layout`] finds where we sit, [`Group`] reads one memory cgroup, [`Child`] is the cgroup a build runs in.
//! Nothing here breaks a build: what is not possible comes back as a [`Refusal`] of one line.

mod child;
mod delegation;
mod event;
mod file;
mod group;
mod layout;
mod members;
mod stale;
mod stat;

pub use child::Child;
pub use event::{oom_event, usage_event};
pub use file::Refusal;
pub(crate) use file::{text, value_of};
pub use group::Group;
pub(crate) use group::{kernel_unreclaimable_v1, parse_limit};
pub use layout::{Layout, Place, Version};
pub use members::members;
pub use stale::remove_stale;
pub use stat::MemoryStat;
