//! Pressure where memory is cgroup v1: told by the v2 hierarchy beside it, at the same path. Of a fake kernel, and of this one.

use super::kernel::Kernel;
use super::process::{Agent, promtool, value};
use plimsoll_probe::cgroup::{Child, Layout, Version};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const WAITING: &str = "plimsoll_container_memory_pressure_waiting_seconds_total";
const STALLED: &str = "plimsoll_container_memory_pressure_stalled_seconds_total";

#[test]
fn a_twin_tells_the_pressure_of_a_v1_cgroup() {
    let kernel = Kernel::hybrid();
    kernel.group_v1("web.service");
    kernel.group_v1("alone.service");
    kernel.pressure("web.service", 1_500_000, 500_000);
    // Nobody's memory is told of this one.
    kernel.pressure("elsewhere.service", 7_000_000, 7_000_000);
    let agent = Agent::start(&["--root", kernel.root()]);
    let text = agent.metrics();
    assert_eq!(value(&text, WAITING, &["web.service"]), Some(1.5), "{text}");
    assert_eq!(value(&text, STALLED, &["web.service"]), Some(0.5), "{text}");
    assert_eq!(value(&text, WAITING, &["alone.service"]), None, "what has no twin tells nothing, never 0");
    assert!(!text.contains("elsewhere.service"), "{text}");
    assert_eq!(value(&text, "plimsoll_agent_blind", &["what=\"psi\""]), Some(0.0));
    assert_eq!(promtool(&text), "");
    agent.terminate();
}

#[test]
fn without_any_twin_it_is_said() {
    let kernel = Kernel::hybrid();
    kernel.group_v1("web.service");
    let agent = Agent::start(&["--root", kernel.root()]);
    assert_eq!(agent.value("plimsoll_agent_blind", &["what=\"psi\""]), Some(1.0));
    assert!(agent.terminate().contains("cannot see psi"));
}

/// A v1 cgroup and its twin at the same path, as systemd makes them; where we sit in the v2 hierarchy may be another path.
fn twins(label: &str, limit_bytes: u64) -> Option<(Child, PathBuf)> {
    let mut layout = Layout::detect(Path::new("/"), std::process::id());
    let memory = layout.memory.clone().ok().filter(|place| place.version == Version::V1)?;
    let unified = layout.unified.as_mut()?;
    let above = unified.top.join(memory.dir.strip_prefix(&memory.top).ok()?);
    std::fs::create_dir_all(&above).ok()?;
    unified.dir = above;
    let child = Child::create(&layout, label, Some(limit_bytes)).ok()?;
    let path = child.memory()?.pressure_path().ok().filter(|path| path.exists())?;
    Some((child, path))
}

fn total_seconds(pressure: &Path) -> f64 {
    let text = std::fs::read_to_string(pressure).expect("its pressure");
    let total = text.lines().next().and_then(|line| line.rsplit_once("total=")).expect("a total");
    total.1.trim().parse::<f64>().expect("a number") / 1e6
}

#[test]
fn a_real_cgroup_that_waits_for_memory_is_seen() {
    let Some((child, pressure)) = twins("waits", 32 << 20) else {
        eprintln!(
            "skipped: there are no v1 cgroups with a v2 hierarchy beside them here, or they are not ours to make"
        );
        return;
    };
    let name = pressure.parent().and_then(Path::file_name).expect("a name").to_string_lossy().into_owned();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    // What does not fit is let go of and read again.
    let line = "head -c 96M /dev/zero > \"$1\"; while cat \"$1\" > /dev/null; do :; done";
    let mut command = Command::new("sh");
    command.args(["-c", &format!("read go; {line}"), "sh"]).arg(folder.path().join("read"));
    let mut running =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    child.attach(running.id()).expect("it is in both");
    drop(running.stdin.take());
    let agent = Agent::start(&["--interval", "1s"]);
    let waited = |text: &str| value(text, WAITING, &[&name]);
    let text = agent.shows("that it waits", |text| waited(text).is_some_and(|seconds| seconds > 0.0));
    let (seen, after) = (waited(&text).expect("seen"), total_seconds(&pressure));
    assert!(seen > 0.0 && seen <= after, "{seen} {after}");
    assert!(value(&text, STALLED, &[&name]).is_some_and(|stalled| stalled <= seen), "{text}");
    agent.terminate();
    running.kill().expect("killed");
    running.wait().expect("it is over");
    child.kill_all(std::time::Duration::from_secs(10)).expect("nobody is left");
    child.remove().expect("removed");
    // Empty folders above it are of no use to anybody else; those in use stay.
    let above = pressure.ancestors().skip(2).take_while(|dir| std::fs::remove_dir(dir).is_ok());
    assert!(above.count() < 20);
}
