//! What cannot be seen, and why: said once, and shown for as long as it is so.

use std::collections::BTreeMap;

/// What there is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Any cgroup.
    Cgroups,
    /// Pressure of cgroups.
    Psi,
    /// Peaks of cgroups.
    Peak,
    /// Whose pods are.
    Pods,
    /// CI jobs, in the environment of processes.
    Ci,
    /// Heaps of Node processes.
    Heap,
    /// Kills in cgroups that have vanished.
    KernelLog,
    /// What was counted before.
    State,
}

impl What {
    /// The label.
    pub fn name(self) -> &'static str {
        match self {
            What::Cgroups => "cgroups",
            What::Psi => "psi",
            What::Peak => "peak",
            What::Pods => "pods",
            What::Ci => "ci",
            What::Heap => "heap",
            What::KernelLog => "kernel_log",
            What::State => "state",
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Blind(BTreeMap<What, Option<String>>);

impl Blind {
    /// Why something cannot be seen, or that it can.
    pub fn set(&mut self, what: What, why: Option<String>) {
        let before = self.0.insert(what, why.clone()).flatten();
        match (before, why) {
            (before, Some(why)) if before.as_deref() != Some(&*why) => {
                eprintln!("plimsoll agent: cannot see {}: {why}", what.name());
            }
            (Some(_), None) => eprintln!("plimsoll agent: sees {} now", what.name()),
            _ => {}
        }
    }

    /// Each thing that was looked at, and whether it cannot be seen.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, bool)> {
        self.0.iter().map(|(what, why)| (what.name(), why.is_some()))
    }
}
