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
    if !input.project.cargo_configs.iter().any(|text| cargo_config_has_jobs(text)) {
        knobs.extend(input.unless_set("CARGO_BUILD_JOBS", jobs, "cargo counts the cores"));
    }
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
    if input.shape.tool == Some("buildctl") {
        knobs.extend(buildkitd_flags(input));
    }
    if input.setting.mode == Mode::Minimal {
        knobs.extend(input.unless_set("MALLOC_ARENA_MAX", 2, "glibc keeps free memory in 8 arenas a core"));
    }
    // Measured with the crate of bench/workloads/cargo, peak of rustc: a release build with debug information
    // 1459 MiB, without 785; a dev build 1504 and 664; the linker of a dev build 391 and 129. More codegen units do
    // not help (16 units 785 MiB, 64 805, 256 810; at one job 766 and 764 with 16 and 256), fewer do harm (one: 995).
    if input.setting.less_work && input.shape.tool == Some("cargo") {
        let reason = "less work: no debug information";
        knobs.extend(input.unless_set("CARGO_PROFILE_DEV_DEBUG", "false", reason));
        knobs.extend(input.unless_set("CARGO_PROFILE_RELEASE_DEBUG", "false", reason));
    }
    knobs
}

/// `jobs` in the table `[build]`, or `build.jobs` before any table.
fn cargo_config_has_jobs(text: &str) -> bool {
    let mut table = "";
    text.lines().map(str::trim).any(|line| {
        if line.starts_with('[') {
            table = line;
        }
        let key = line.split_once('=').map(|(key, _)| key.trim());
        matches!((table, key), ("[build]", Some("jobs")) | ("", Some("build.jobs")))
    })
}

fn go_flags(input: &KnobInput) -> Option<Knob> {
    // The variable hides what `go env -w` wrote, so that comes first in it.
    let mut lines = input.project.go_env.iter().flat_map(|text| text.lines());
    let written = || lines.find_map(|line| line.strip_prefix("GOFLAGS="));
    let user = input.user("GOFLAGS").or_else(written);
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

/// `buildctl-daemonless.sh` starts a daemon within the build's tree and hands it these flags. By default it runs
/// every step at once that can be. A configuration of the user's is not looked into further.
fn buildkitd_flags(input: &KnobInput) -> Option<Knob> {
    let user = input.user("BUILDKITD_FLAGS");
    let is_users = user.is_some_and(|value| flags::has(value, &["--oci-max-parallelism", "--config"]))
        || input.project.buildkitd_configs.iter().any(|text| text.contains("max-parallelism"));
    let ours = [format!("--oci-max-parallelism={}", input.setting.jobs)];
    let reason = "buildkitd runs all steps it can at once";
    (!is_users).then(|| knob("BUILDKITD_FLAGS", flags::append(user, &ours), reason))
}
