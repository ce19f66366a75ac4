//! A real build that dies of memory when run plainly and comes through under Plimsoll.

use crate::Failure;
use crate::case::{self, Setting};
use crate::confine::{self, Measured, Order};
use plimsoll_core::size::human;
use std::path::Path;
use std::process::{Command, ExitCode};

/// The build shown: one process that dies of V8's own heap limit, with half of the memory free.
const CASE: &str = "tsc";

/// Shows it; succeeds where the plain run dies and Plimsoll's passes.
pub fn demo(bench: &Path, plimsoll: &Path, limit_bytes: u64) -> Result<ExitCode, Failure> {
    if !plimsoll.exists() {
        return Err(format!("{}: not there\nbuild it, or name it by --plimsoll", plimsoll.display()).into());
    }
    let case = case::select(bench, &[CASE.to_string()])?.remove(0);
    case.prepare()?;
    let (build, variables) = case.start(Setting::default());
    let limit = human(limit_bytes);
    println!("\nThe build: {} ({})", build.join(" "), case.about());
    println!("\n1. Plainly, in a memory cgroup of {limit}:\n");
    let order = |command: Vec<String>| {
        let mut order = Order::new("demo", command, case.work.clone());
        order.limit_bytes = Some(limit_bytes);
        order.variables = variables.clone();
        order
    };
    case.clean()?;
    let plain = match confine::measure(&order(build.clone())) {
        Ok(plain) => plain,
        Err(failure) => return uncaged(&failure, &case, plimsoll, &build, limit_bytes),
    };
    println!("\n   {}", told(&plain));
    println!("\n2. Under Plimsoll, in a fresh memory cgroup of the same {limit}:\n");
    let store = bench.join("work/demo-store");
    let _ = std::fs::remove_dir_all(&store);
    let mut command = vec![plimsoll.to_string_lossy().into_owned(), "run".into()];
    command.extend(["--store".into(), store.to_string_lossy().into_owned(), "--".into()]);
    command.extend(build);
    case.clean()?;
    let saved = confine::measure(&order(command))?;
    println!("\n   {}\n", told(&saved));
    Ok(if plain.exit_code != 0 && saved.exit_code == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(measured: &Measured) -> String {
    let verdict = match measured.exit_code {
        0 => "It passes",
        134 => "It dies: V8 gave up at its own heap limit",
        137 => "It dies: killed",
        _ => "It fails",
    };
    format!(
        "{verdict} (exit {}, {} kernel kills, peak {}, {:.0} s).",
        measured.exit_code,
        measured.kernel_kills,
        measured.peak_bytes.map_or("unknown".to_string(), human),
        measured.wall_ms as f64 / 1000.0
    )
}

/// Without the right to make a cgroup: the heap V8 would take in such a container stands in for the container.
fn uncaged(
    failure: &Failure,
    case: &case::Case,
    plimsoll: &Path,
    build: &[String],
    limit_bytes: u64,
) -> Result<ExitCode, Failure> {
    println!("   not possible: {failure}");
    println!("\n   Without that right no limit can be enforced here. Instead:");
    println!("   plainly means with the heap V8 takes in such a container, half of it;");
    println!("   Plimsoll is told the limit by --limit and keeps it by watching.\n");
    let heap = format!("--max-old-space-size={}", (limit_bytes >> 21));
    let plain = Command::new(&build[0])
        .args(&build[1..])
        .current_dir(&case.work)
        .env("NODE_OPTIONS", heap)
        .status()?;
    println!("\n   Plainly: {plain}\n");
    let mut command = Command::new(plimsoll);
    command.args(["run", "--limit", &limit_bytes.to_string(), "--"]).args(build).current_dir(&case.work);
    let saved = command.status()?;
    println!("\n   Under Plimsoll: {saved}\n");
    Ok(if !plain.success() && saved.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
