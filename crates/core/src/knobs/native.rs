//! Compilers and test runners without a heap of their own: how many of them run at once.

use super::{Knob, KnobInput, flags, knob, mib};
use crate::mode::Mode;

/// Share of a job's part of the budget that Go's collector is told, in percent: the limit is soft, the rest is
/// what it overshoots by. <https://go.dev/doc/gc-guide#Memory_limit> advises 5-10 %.
const GO_LIMIT_PERCENT: u64 = 90;

/// What every command gets: a `make`, a script or a test may start any of these tools.
pub fn knobs(input: &KnobInput) -> Vec<Knob> {
    let jobs = input.setting.jobs;
    let mut knobs = Vec::new();
    knobs.extend(input.unless_set("CARGO_BUILD_JOBS", jobs, "cargo counts the cores"));
    knobs.extend(go_flags(input));
    if input.shape.tool == Some("go") {
        knobs.extend(go_limit(input));
    }
    let reason = "pytest -n auto counts the cores";
    knobs.extend(input.unless_set("PYTEST_XDIST_AUTO_NUM_WORKERS", jobs, reason));
    // It becomes -j, which would turn a client of our jobserver away, and a plain make parallel.
    if input.project.cmake_ninja && (input.jobserver.is_empty() || !input.project.ninja_is_client) {
        knobs.extend(input.unless_set("CMAKE_BUILD_PARALLEL_LEVEL", jobs, "ninja counts the cores"));
    }
    if input.setting.mode == Mode::Minimal {
        knobs.extend(input.unless_set("MALLOC_ARENA_MAX", 2, "glibc keeps free memory in 8 arenas a core"));
    }
    if input.setting.less_work && input.shape.tool == Some("cargo") {
        let reason = "less work: no debug information";
        knobs.extend(input.unless_set("CARGO_PROFILE_DEV_DEBUG", "false", reason));
        knobs.extend(input.unless_set("CARGO_PROFILE_RELEASE_DEBUG", "false", reason));
    }
    knobs
}

fn go_flags(input: &KnobInput) -> Option<Knob> {
    let user = input.user("GOFLAGS");
    if user.is_some_and(|value| flags::has(value, &["-p=", "--p="])) {
        return None;
    }
    let ours = [format!("-p={}", input.setting.jobs)];
    Some(knob("GOFLAGS", flags::append(user, &ours), "go builds a package per core"))
}

/// Each of the processes `go` starts has a collector of its own, so the budget is divided among them.
fn go_limit(input: &KnobInput) -> Option<Knob> {
    let share_bytes = input.budget_bytes? / u64::from(input.setting.jobs.max(1)) / 100 * GO_LIMIT_PERCENT;
    input.unless_set(
        "GOMEMLIMIT",
        format!("{}MiB", mib(share_bytes)),
        "Go's collector does not know the budget",
    )
}
