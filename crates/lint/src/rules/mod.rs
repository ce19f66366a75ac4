//! The rules: each has a name that stays, a page, and a function that looks at all files of a call together.

mod buildkit;
mod default_heap;
mod go;
mod heap;
mod heaps;
mod jvm;
mod metrics;
mod node_options;
mod nproc;
mod overwrite;
mod qos;
mod quota;
mod request;
mod retry;
mod scaling;
mod unit;

use crate::finding::{Findings, Severity};
use crate::project::Project;

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub id: &'static str,
    /// How bad it is at its worst.
    pub severity: Severity,
    /// In a few words.
    pub title: &'static str,
    /// Whether `--fix` mends it, at least in some cases.
    pub is_fixable: bool,
    /// Its page, as Markdown.
    pub page: &'static str,
    pub(crate) check: fn(&Project, &mut Findings),
}

macro_rules! rule {
    ($id:literal, $severity:ident, $fixable:literal, $title:literal, $check:expr) => {
        Rule {
            id: $id,
            severity: Severity::$severity,
            title: $title,
            is_fixable: $fixable,
            page: include_str!(concat!("../../../../docs/check/", $id, ".md")),
            check: $check,
        }
    };
}

/// All of them, in the order of the alphabet.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule!("allow-unknown", Warning, false, "a comment allows a rule that there is not", |_, _| {}),
    rule!("buildkit-parallelism", Warning, false, "BuildKit builds as many steps at once as there are", buildkit::check),
    rule!("default-heap-small", Warning, false, "Node's own heap uses half of the limit, or less", default_heap::check),
    rule!("go-memory-limit", Error, false, "GOMEMLIMIT at or above the limit, or not understood by Go", go::check),
    rule!("heap-above-limit", Error, false, "a heap as large as the limit, or larger", heap::check),
    rule!("heaps-above-limit", Warning, false, "one heap fits, one for each process does not", heaps::check),
    rule!("hpa-target-below-base", Error, false, "an autoscaler's memory target that pods use without load", scaling::below_base),
    rule!("hpa-without-effect", Error, false, "an autoscaler's memory target that never comes to anything", scaling::without_effect),
    rule!("jobs-by-nproc", Warning, false, "as many jobs as the node has cores, whatever the limit", nproc::check),
    rule!("jvm-default-heap", Warning, false, "a JVM that uses a quarter of the limit", jvm::default_heap),
    rule!("jvm-full-heap-exit", Info, true, "a full JVM that looks like any failure", jvm::full_heap_exit),
    rule!("limit-overwrite-ignored", Error, false, "a job's memory that the runner ignores", overwrite::ignored),
    rule!("limit-overwrite-refused", Error, false, "a job's memory that the runner does not allow", overwrite::refused),
    rule!("memory-unit", Error, true, "an amount of memory that means something else, or nothing", unit::check),
    rule!("memory-without-limit", Info, false, "a container that may use all that the node has", qos::without_limit),
    rule!("metrics-always-differ", Warning, false, "metrics that differ on every merge request", metrics::check),
    rule!("node-options-refused", Error, true, "NODE_OPTIONS with which Node does not start", node_options::check),
    rule!("qos-surprise", Warning, false, "a pod that is not of the class it looks like", qos::surprise),
    rule!("quota-forgets-helper", Error, false, "a quota that helper and service containers do not fit into", quota::check),
    rule!("request-above-limit", Error, false, "a request above its limit", request::check),
    rule!("retry-misses-oom", Warning, true, "a retry that sees one kind of memory death only", retry::misses),
    rule!("retry-without-max", Error, true, "a retry that never retries", retry::without_max),
    rule!("syntax", Error, false, "a file that does not parse", |_, _| {}),
];

/// The rule of this name.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}
