//! Node: the heap of the main process, the workers' heaps by the preload, and how many tasks run at once.

use super::{Knob, KnobInput, flags, knob, mib};

/// V8 takes `_` for `-` in its flags, Node's percentage flag (from 22) beats the one in MiB.
const HEAP_FLAGS: [&str; 2] = ["--max-old-space-size", "--max_old_space_size"];
/// turbo's own default. <https://turborepo.com/docs/reference/run>
const TURBO_DEFAULT: u32 = 10;
/// nx's own default. <https://nx.dev/docs/reference/environment-variables>
const NX_DEFAULT: u32 = 3;
/// pnpm's own most. <https://pnpm.io/settings#workspaceconcurrency>
const PNPM_DEFAULT: u32 = 4;
/// pnpm up to 10 reads the first name only, from 11 the second only.
const PNPM_NAMES: [&str; 2] = ["npm_config_workspace_concurrency", "pnpm_config_workspace_concurrency"];

/// Everything for a command whose main process is, or may be, Node.
pub fn knobs(input: &KnobInput) -> Vec<Knob> {
    let mut knobs = Vec::from_iter(node_options(input, input.setting.heap_bytes));
    knobs.extend(tasks(input, "TURBO_CONCURRENCY", TURBO_DEFAULT, "turbo runs 10 tasks at once"));
    knobs.extend(tasks(input, "NX_PARALLEL", NX_DEFAULT, "nx runs 3 tasks at once"));
    if input.shape.tool == Some("pnpm") {
        for name in PNPM_NAMES {
            knobs.extend(tasks(input, name, PNPM_DEFAULT, "pnpm runs 4 packages at once"));
        }
    }
    knobs
}

/// How many tasks run at once: the jobs, at most the tool's own default. pnpm takes its names in capitals too.
fn tasks(input: &KnobInput, name: &str, default: u32, reason: &str) -> Option<Knob> {
    let is_free = input.user(&name.to_ascii_uppercase()).is_none() && !input.project.settled.contains(name);
    input.unless_set(name, input.setting.jobs.min(default), reason).filter(|_| is_free)
}

/// For a command that may start Node somewhere below: the cgroup's truth, and no heap, which would be given to
/// each of them.
pub fn preload_only(input: &KnobInput) -> Option<Knob> {
    node_options(input, None)
}

fn node_options(input: &KnobInput, heap_bytes: Option<u64>) -> Option<Knob> {
    let user = input.user("NODE_OPTIONS");
    let user_has = |names: &[&str]| user.is_some_and(|value| flags::has(value, names));
    let mut ours = Vec::new();
    let mut reasons = Vec::new();
    if let Some(heap_bytes) = heap_bytes.filter(|_| input.node.heap && !user_has(&HEAP_FLAGS)) {
        ours.push(format!("--max-old-space-size={}", mib(heap_bytes)));
        reasons.push("heap of the main process by the budget");
    }
    if let Some(path) = input.preload_path.filter(|_| input.node.preload) {
        ours.push(format!("--require {}", quoted(path)));
        reasons.push("a preload that tells the cgroup's cores and memory");
    }
    if let Some(dir) = input.report_dir.filter(|_| input.node.report && !user_has(&["--report-"])) {
        ours.push("--report-on-fatalerror --report-compact".to_string());
        ours.push(format!("--report-directory={}", quoted(dir)));
        reasons.push("a report when the heap is full");
    }
    (!ours.is_empty()).then(|| knob("NODE_OPTIONS", flags::append(user, &ours), &reasons.join("; ")))
}

/// Node splits `NODE_OPTIONS` at spaces outside double quotes; a backslash escapes inside them.
fn quoted(path: &str) -> String {
    match path.contains([' ', '"', '\\']) {
        true => format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\"")),
        false => path.to_string(),
    }
}
