//! The agent, end to end: the built binary on fake kernels, and on this one with real cgroups, real kills, a real Node, a real Prometheus
//! and a real collector.

mod cluster;
mod collected;
#[path = "../common/mod.rs"]
mod common;
mod kernel;
mod killed;
mod node;
mod pressure;
mod process;

use common::PLIMSOLL;
use kernel::{ID, Kernel, container, pod};
use process::{Agent, OPEN_METRICS, promtool, value};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const UID: &str = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
const MIB: f64 = 1048576.0;

#[test]
fn what_a_container_holds() {
    let kernel = Kernel::new();
    kernel.group(&pod(UID), "max", 0);
    kernel.group(&container(UID, ID), "536870912", 0);
    kernel.group("system.slice/a \"b\\c\".service", "max", 0);
    let agent = Agent::start(&["--root", kernel.root()]);
    let text = agent.metrics();
    let of = |name: &str, more: &[&str]| {
        let pieces = [&["container=\"0123456789ab\""][..], more].concat();
        value(&text, &format!("plimsoll_container_{name}"), &pieces)
    };
    for (name, mib) in [
        ("memory_usage_bytes", 100.0),
        ("memory_nonreclaimable_bytes", 51.0),
        ("memory_working_set_bytes", 70.0),
        ("memory_cache_bytes", 50.0),
        ("memory_limit_bytes", 512.0),
        ("memory_peak_bytes", 200.0),
    ] {
        assert_eq!(of(name, &[]), Some(mib * MIB), "{name}");
    }
    assert_eq!(of("memory_request_bytes", &[]), None);
    assert_eq!(of("memory_pressure_waiting_seconds_total", &[]), Some(1.5));
    assert_eq!(of("memory_pressure_stalled_seconds_total", &[]), Some(0.5));
    assert_eq!(of("memory_refaults_total", &["kind=\"file\""]), Some(7.0));
    assert_eq!(of("memory_refaults_total", &["kind=\"anon\""]), Some(2.0));
    assert_eq!(of("memory_major_faults_total", &[]), Some(38.0));
    assert_eq!(of("oom_kills_total", &[]), Some(0.0));
    let path = format!("cgroup=\"/{}\"", container(UID, ID));
    assert_eq!(of("info", &["namespace=\"\",pod=\"\"", &path]), Some(1.0));
    let escaped = r#"container="a \"b\\c\".service",cgroup="/system.slice/a \"b\\c\".service""#;
    assert_eq!(value(&text, "plimsoll_container_memory_usage_bytes", &[escaped]), Some(100.0 * MIB));
    let limit = value(&text, "plimsoll_container_memory_limit_bytes", &[escaped]);
    assert_eq!(limit, None, "what has no limit has none");
    assert_eq!(value(&text, "plimsoll_agent_cgroups", &[]), Some(2.0));
    assert_eq!(value(&text, "plimsoll_agent_blind", &["what=\"psi\""]), Some(0.0));
    assert_eq!(value(&text, "plimsoll_agent_blind", &["what=\"kernel_log\""]), Some(1.0));
    assert_eq!(value(&text, "plimsoll_agent_blind", &["what=\"pods\""]), None, "there is no cluster to ask");
    assert_eq!(promtool(&text), "");
    let said = agent.terminate();
    assert_eq!(said.matches("cannot see kernel_log").count(), 1, "once: {said}");
}

#[test]
fn who_asks_for_openmetrics_gets_it() {
    let kernel = Kernel::new();
    kernel.group("web.service", "max", 0);
    let agent = Agent::start(&["--root", kernel.root()]);
    let (kind, text) = agent.asked(OPEN_METRICS);
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1);
    assert!(text.contains("# TYPE plimsoll_oom_kills counter\n"), "{text}");
    assert!(text.contains("# UNIT plimsoll_container_memory_usage_bytes bytes\n"), "{text}");
    let (kind, text) = agent.asked("*/*");
    assert!(kind.starts_with("text/plain; version=0.0.4") && !text.contains("EOF"), "{kind}");
    assert!(text.contains("# TYPE plimsoll_oom_kills_total counter\n"), "{text}");
}

#[test]
fn what_is_not_there_ends_nothing() {
    let empty = tempfile::tempdir().expect("a folder");
    let root = empty.path().to_str().expect("a path");
    let agent = Agent::start(&["--root", root, "--interval", "1s", "--state", "/proc/nowhere/state"]);
    let text = agent.metrics();
    assert_eq!(value(&text, "plimsoll_agent_blind", &["what=\"cgroups\""]), Some(1.0), "{text}");
    assert_eq!(value(&text, "plimsoll_agent_cgroups", &[]), Some(0.0));
    assert_eq!(promtool(&text), "");
    // They come later.
    for (path, text) in [
        ("cgroup.controllers", "memory\n"),
        ("a.service/cgroup.procs", "1\n"),
        ("a.service/cgroup.events", "populated 1\n"),
        ("a.service/memory.current", "1\n"),
        ("a.service/memory.stat", "anon 1\n"),
    ] {
        let path = empty.path().join("sys/fs/cgroup").join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    agent.shows("the cgroup", |text| {
        value(text, "plimsoll_container_memory_usage_bytes", &["a.service"]) == Some(1.0)
    });
    assert!(agent.terminate().contains("sees cgroups now"));
}

/// Nobody's rights are enough for memory and kills; the rest is told once.
#[test]
fn whoever_may_little_sees_what_there_is() {
    if !rustix::process::geteuid().is_root() || Command::new("setpriv").arg("--version").output().is_err() {
        eprintln!("skipped: nobody else can be had here");
        return;
    }
    // Where everybody can run it.
    let folder =
        tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().expect("a folder");
    let program = folder.path().join("plimsoll");
    std::fs::copy(PLIMSOLL, &program).expect("a copy");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--"]).arg(&program);
    let agent = Agent::start_by(command, &[]);
    let text = agent.metrics();
    assert!(value(&text, "plimsoll_agent_cgroups", &[]).is_some_and(|count| count > 0.0), "{text}");
    assert_eq!(value(&text, "plimsoll_agent_blind", &["what=\"cgroups\""]), Some(0.0));
    for what in ["ci", "heap"] {
        let is_blind = value(&text, "plimsoll_agent_blind", &[&format!("what=\"{what}\"")]);
        assert_eq!(is_blind, Some(1.0), "{what}: {text}");
        assert_eq!(agent.said().matches(&format!("cannot see {what}:")).count(), 1, "{}", agent.said());
    }
    assert!(text.contains("plimsoll_container_memory_nonreclaimable_bytes{"), "{text}");
    agent.terminate();
}

#[test]
fn mistakes_are_told() {
    let check = |args: &[&str], expect: &str| {
        let output = Command::new(PLIMSOLL).arg("agent").args(args).output().expect("plimsoll starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(125), "{said}");
        assert!(said.contains(expect), "{said}");
    };
    check(&["--otlp", "https://example.com"], "is no http:// address");
    check(&["--interval", "soon"], "is not a duration");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    check(&["--listen", &address], &format!("{address}: Address already in use"));
}
