//! The watch: one tick after the other over the tree of an attempt, as fast as it grows.
//!
//! A tick reads the cgroup, and where that is near the budget or enough time has passed, the processes. What
//! follows from it is decided in core: who is frozen, how many jobserver tokens are out, whether it is a stall.

use super::curve::Curve;
use super::tree::{Reading, Tree};
use plimsoll_core::admission::{self, Holder, Job};
use plimsoll_core::attempt::Census;
use plimsoll_core::census::Counter;
use plimsoll_core::freezer::{self, Branch, Freezer};
use plimsoll_core::outcome::{EndedByUs, Exit};
use plimsoll_core::promise::Promises;
use plimsoll_core::stall::{GcDetector, LivelockDetector};
use plimsoll_probe::jobserver::Jobserver;
use plimsoll_probe::proc::{Process, Scan};
use plimsoll_probe::supervise::Ended;
use rustix::process::Signal;
use std::time::{Duration, Instant};
