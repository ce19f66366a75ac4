//! Kills: of fake kernels, where each way of being seen can be had alone, and of this one.

use super::common::cluster::within;
use super::kernel::{ID, Kernel, SANDBOX, container, pod};
use super::process::{Agent, value};
use super::{MIB, UID};
use plimsoll_probe::cgroup::{Child, Layout};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const SOON: &[&str] = &["--interval", "1s"];

fn kills(text: &str, pieces: &[&str]) -> Option<f64> {
    value(text, "plimsoll_container_oom_kills_total", pieces)
}

#[test]
fn a_count_survives_its_cgroup_and_the_agent() {
    let kernel = Kernel::new();
    let state = tempfile::tempdir().expect("a folder");
    let state = state.path().join("kills.json").display().to_string();
    kernel.group("web.service", "max", 2);
    let start = || Agent::start(&[SOON, &["--root", kernel.root(), "--state", &state]].concat());
    let total = |text: &str| value(text, "plimsoll_oom_kills_total", &["container=\"web.service\""]);
    let agent = start();
    let text = agent.metrics();
    assert_eq!((kills(&text, &["web.service"]), total(&text)), (Some(2.0), Some(0.0)), "before it looked");
    kernel.kills("web.service", 3);
    agent.shows("the kill", |text| (kills(text, &["web.service"]), total(text)) == (Some(3.0), Some(1.0)));
    kernel.remove("web.service");
    let text =
        agent.shows("that it has gone", |text| value(text, "plimsoll_agent_cgroups", &[]) == Some(0.0));
    assert_eq!((kills(&text, &["web.service"]), total(&text)), (Some(3.0), Some(1.0)));
    agent.terminate();
    kernel.group("web.service", "max", 1);
    let agent = start();
    let text = agent.metrics();
    assert_eq!(total(&text), Some(2.0), "one that came while nobody looked: {text}");
}

#[test]
fn a_pod_tells_of_a_container_that_has_vanished() {
    let kernel = Kernel::new();
    kernel.group(&pod(UID), "max", 0);
    kernel.group(&container(UID, ID), "536870912", 0);
    kernel.group(&container(UID, SANDBOX), "max", 0);
    let agent = Agent::start(&[SOON, &["--root", kernel.root()]].concat());
    agent.shows("both", |text| value(text, "plimsoll_agent_cgroups", &[]) == Some(2.0));
    // All in one blow, between two looks.
    kernel.remove(&container(UID, ID));
    kernel.kills(&pod(UID), 1);
    agent.shows("whose it was", |text| kills(text, &["0123456789ab"]) == Some(1.0));
}

/// The kernel tells of it at once, so that it is read before its cgroup goes; the next look is a minute away.
#[test]
fn a_kill_is_read_when_it_comes() {
    let kernel = Kernel::new();
    kernel.group("web.service", "max", 0);
    let agent = Agent::start(&["--root", kernel.root(), "--interval", "60s"]);
    agent.shows("it", |text| kills(text, &["web.service"]) == Some(0.0));
    std::thread::sleep(Duration::from_millis(500));
    kernel.kills("web.service", 1);
    std::thread::sleep(Duration::from_millis(500));
    kernel.remove("web.service");
    let text = agent.metrics();
    assert_eq!(kills(&text, &["web.service"]), Some(1.0), "{text}");
}

/// A command in a cgroup of its own, with what a CI job has in its environment.
fn job(child: &Child, line: &str) -> Command {
    let entrances = child.entrances().expect("entrances");
    let mut command = Command::new("sh");
    command.args(["-c", line]).stdout(Stdio::null()).stderr(Stdio::null());
    command.envs([("CI_PROJECT_PATH", "shop/web"), ("CI_JOB_NAME", "build"), ("CI_JOB_STAGE", "test")]);
    // SAFETY: between fork and exec only `write` is called, which is safe there; the descriptors are the closure's own.
    unsafe {
        command.pre_exec(move || {
            entrances.iter().try_for_each(|entrance| Ok(rustix::io::write(entrance, b"0").map(|_| ())?))
        });
    }
    command
}

fn child(label: &str) -> Option<Child> {
    let layout = Layout::detect(Path::new("/"), std::process::id());
    let made = Child::create(&layout, label, Some(32 << 20)).ok().filter(|child| child.memory().is_some());
    if made.is_none() {
        eprintln!("skipped: no memory cgroup can be made here");
    }
    made
}

#[test]
fn a_real_kill_is_seen_after_its_cgroup_has_gone() {
    let Some(child) = child("agent") else { return };
    let name =
        child.memory().expect("memory").dir().file_name().expect("a name").to_string_lossy().into_owned();
    let mut running = job(&child, "exec sleep 600").spawn().expect("it starts");
    let agent = Agent::start(SOON);
    let whose = ["ci_project=\"shop/web\"", "ci_job=\"build\"", "ci_stage=\"test\""];
    let text = agent.shows("whose it is", |text| {
        value(text, "plimsoll_container_info", &[&[&*format!("container=\"{name}\"")][..], &whose].concat())
            == Some(1.0)
    });
    assert_eq!(value(&text, "plimsoll_container_memory_limit_bytes", &[&name]), Some(32.0 * MIB));
    assert!(value(&text, "plimsoll_container_memory_usage_bytes", &[&name]).is_some_and(|bytes| bytes > 0.0));
    assert_eq!(
        value(&text, "plimsoll_oom_kills_total", &whose),
        Some(0.0),
        "so that the first is an increase"
    );
    // `tail` keeps the whole of an endless line.
    let ended = job(&child, "tail /dev/zero; true").status().expect("it runs");
    assert!(ended.success(), "a command may hide that it was killed");
    running.kill().expect("killed");
    running.wait().expect("it is over");
    child.remove().expect("removed");
    let text = agent.shows("the kill", |text| value(text, "plimsoll_oom_kills_total", &whose) == Some(1.0));
    assert_eq!(kills(&text, &[&name]), Some(1.0), "{text}");
    assert_eq!(
        value(&text, "plimsoll_container_memory_usage_bytes", &[&name]),
        None,
        "it is not there any more"
    );
    agent.terminate();
}

/// Between two looks a minute apart a cgroup is made, filled, killed in and removed: only the kernel's log knows.
#[test]
fn the_kernel_log_knows_what_nobody_saw() {
    let agent = Agent::start(&["--interval", "60s"]);
    if agent.value("plimsoll_agent_blind", &["what=\"kernel_log\""]) != Some(0.0) {
        eprintln!("skipped: the kernel's log cannot be read here");
        return;
    }
    let Some(child) = child("unseen") else { return };
    let name =
        child.memory().expect("memory").dir().file_name().expect("a name").to_string_lossy().into_owned();
    assert!(job(&child, "tail /dev/zero; true").status().expect("it runs").success());
    child.remove().expect("removed");
    // The machine's log holds other tests' kills too; ours is known by its name, unless its cgroup's parent was.
    let whose = || {
        agent
            .metrics()
            .lines()
            .filter(|line| line.starts_with("plimsoll_container_oom_kills_total"))
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    within(
        Duration::from_secs(20),
        "the kill",
        || whose().iter().any(|line| line.contains(&name) && line.ends_with(" 1")),
        || whose().join("\n"),
    );
}
