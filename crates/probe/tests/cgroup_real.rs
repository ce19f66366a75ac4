//! Real cgroups and real kills, in children of our own cgroup; skipped, with a word, where none can be made.

use plimsoll_probe::cgroup::{Child, Layout, oom_event, remove_stale, usage_event};
use plimsoll_probe::psi::{Stall, Trigger};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const MIB: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(10);

fn layout() -> Layout {
    Layout::detect(Path::new("/"), std::process::id())
}

/// A child with a memory half, or `None` where the machine does not allow one.
fn child(label: &str, limit_bytes: u64) -> Option<Child> {
    let made = Child::create(&layout(), label, Some(limit_bytes));
    match made {
        Ok(child) if child.memory().is_some() => {
            assert_eq!(child.memory().expect("has memory").limit_bytes(), Ok(Some(limit_bytes)), "{child:?}");
            Some(child)
        }
        Ok(child) => skip(&child.notes()[0].to_string()),
        Err(refusal) => skip(&refusal.to_string()),
    }
}

fn skip<T>(why: &str) -> Option<T> {
    eprintln!("skipped: no memory cgroup can be made here: {why}");
    None
}

/// A shell line that is inside the child before it runs.
fn shell(child: &Child, line: &str) -> Command {
    let entrances = child.entrances().expect("entrances");
    let mut command = Command::new("sh");
    command.args(["-c", line]).stderr(Stdio::null());
    // SAFETY: between fork and exec only `write` is called, which is safe there; the descriptors are the
    // closure's own.
    unsafe {
        command.pre_exec(move || {
            entrances.iter().try_for_each(|entrance| Ok(rustix::io::write(entrance, b"0").map(|_| ())?))
        });
    }
    command
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "never happened: {what}");
        sleep(Duration::from_millis(5));
    }
}

fn wakes(event: impl AsFd, flags: PollFlags, wait_ms: i64) -> bool {
    let mut waiting = [PollFd::new(&event, flags)];
    let wait = Timespec { tv_sec: wait_ms / 1000, tv_nsec: wait_ms % 1000 * 1_000_000 };
    poll(&mut waiting, Some(&wait)).expect("poll") == 1 && waiting[0].revents().contains(flags)
}

#[test]
fn a_kernel_kill_is_counted_and_wakes_a_poll() {
    let Some(child) = child("kill", 32 * MIB) else { return };
    let memory = child.memory().expect("has memory");
    assert_eq!(memory.oom_kills(), Ok(0));
    let event = oom_event(memory).expect("event");
    assert!(!wakes(&event, PollFlags::IN, 0));
    // `tail` keeps the whole of an endless line.
    let status = shell(&child, "exec tail /dev/zero").status().expect("run");
    assert_eq!(status.signal(), Some(9));
    assert_eq!(memory.oom_kills(), Ok(1));
    assert!(wakes(&event, PollFlags::IN, 1000));
    child.remove().expect("remove");
}

#[test]
fn a_kill_hidden_by_the_command_is_counted() {
    let Some(child) = child("hidden", 32 * MIB) else { return };
    let status = shell(&child, "tail /dev/zero; true").status().expect("run");
    assert_eq!(status.code(), Some(0));
    assert_eq!(child.memory().expect("has memory").oom_kills(), Ok(1));
}

#[test]
fn a_kill_in_a_cgroup_the_build_made_is_counted() {
    let Some(child) = child("nested", 32 * MIB) else { return };
    let nested = child.memory().expect("has memory").dir().join("inner");
    std::fs::create_dir(&nested).expect("nested cgroup");
    let line = format!("echo 0 > {}/cgroup.procs; exec tail /dev/zero", nested.display());
    let status = shell(&child, &line).status().expect("run");
    assert_eq!(status.signal(), Some(9));
    assert_eq!(child.memory().expect("has memory").oom_kills(), Ok(1));
    child.remove().expect("remove, with the inner one");
    assert!(!nested.exists());
}

#[test]
fn page_cache_is_usage_but_can_be_reclaimed() {
    let Some(child) = child("cache", 256 * MIB) else { return };
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page-cache");
    let line = format!("dd if=/dev/zero of={} bs=1M count=64 && sync {0}", file.display());
    assert!(shell(&child, &line).status().expect("run").success());
    let memory = child.memory().expect("has memory");
    let (usage, fixed) =
        (memory.usage_bytes().expect("usage"), memory.non_reclaimable_bytes().expect("stat"));
    child.reclaim(64 * MIB).expect("reclaim");
    let reclaimed = memory.usage_bytes().expect("usage");
    std::fs::remove_file(&file).expect("remove");
    assert!(reclaimed < usage - 40 * MIB, "{usage} of usage, {reclaimed} after a reclaim");
    assert!(usage > 60 * MIB, "{usage} of usage");
    assert!(fixed < 16 * MIB, "{fixed} not reclaimable of {usage}");
    assert!(memory.peak_bytes().expect("peak") >= usage);
}

#[test]
fn a_heap_is_not_reclaimable() {
    let Some(child) = child("heap", 256 * MIB) else { return };
    // The shell holds the text; on the way it is held up to three times.
    let line = "x=$(head -c 20000000 /dev/zero | tr '\\0' x); echo; read end";
    let mut command = shell(&child, line);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("run");
    let mut out = running.stdout.take().expect("piped");
    std::io::Read::read_exact(&mut out, &mut [0]).expect("a line once it is held");
    let fixed = child.memory().expect("has memory").non_reclaimable_bytes().expect("stat");
    drop(running.stdin.take());
    running.wait().expect("wait");
    assert!(fixed > 20_000_000, "{fixed}");
}

#[test]
fn what_the_kernel_keeps_of_many_files_can_be_reclaimed() {
    let Some(child) = child("files", 256 * MIB) else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("many-files");
    std::fs::create_dir_all(&folder).expect("folder");
    let line = format!("cd {} && i=0; while [ $i -lt 5000 ]; do : > $i; i=$((i+1)); done", folder.display());
    assert!(shell(&child, &line).status().expect("run").success());
    let memory = child.memory().expect("has memory");
    let (usage, fixed) =
        (memory.usage_bytes().expect("usage"), memory.non_reclaimable_bytes().expect("stat"));
    std::fs::remove_dir_all(&folder).expect("remove");
    assert!(usage > 5 * MIB && fixed < MIB, "{fixed} not reclaimable of {usage}");
}

#[test]
fn everything_in_it_is_killed_frozen_or_not() {
    let Some(child) = child("all", 64 * MIB) else { return };
    let mut running = shell(&child, "sleep 100 & sleep 100 & wait").spawn().expect("run");
    eventually("three processes", || child.members().len() == 3);
    assert!(child.members().contains(&running.id()));
    let frozen = child.freeze().is_ok();
    if frozen {
        eventually("frozen", || child.is_frozen() == Ok(true));
    }
    child.kill_all(PATIENCE).expect("kill");
    assert_eq!(running.wait().expect("wait").signal(), Some(9));
    assert!(child.members().is_empty());
    child.remove().expect("remove");
}

#[test]
fn a_frozen_build_goes_on_when_thawed() {
    let Some(child) = child("freeze", 64 * MIB) else { return };
    let mut command = shell(&child, "echo; read go; exit 7");
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("run");
    let mut out = running.stdout.take().expect("piped");
    std::io::Read::read_exact(&mut out, &mut [0]).expect("a line once it runs");
    if let Err(refusal) = child.freeze() {
        child.kill_all(PATIENCE).expect("kill");
        running.wait().expect("wait");
        return eprintln!("skipped: {refusal}");
    }
    eventually("frozen", || child.is_frozen() == Ok(true));
    drop(running.stdin.take());
    sleep(Duration::from_millis(100));
    assert!(running.try_wait().expect("wait").is_none(), "ended while frozen");
    child.thaw().expect("thaw");
    assert_eq!(running.wait().expect("wait").code(), Some(7));
}

#[test]
fn the_limit_goes_down_and_up_again() {
    let Some(child) = child("limit", 64 * MIB) else { return };
    let memory = child.memory().expect("has memory");
    for limit in [Some(32 * MIB), Some(128 * MIB), None, Some(64 * MIB)] {
        child.set_limit(limit).expect("set");
        assert_eq!(memory.limit_bytes(), Ok(limit));
    }
}

#[test]
fn usage_over_a_threshold_wakes_a_poll() {
    let Some(child) = child("threshold", 64 * MIB) else { return };
    let Ok(event) = usage_event(child.memory().expect("has memory"), 16 * MIB) else {
        return eprintln!("skipped: only cgroup v1 has usage thresholds");
    };
    assert!(!wakes(&event, PollFlags::IN, 0));
    shell(&child, "head -c 24M /dev/zero | tail -c 24M > /dev/null").status().expect("run");
    assert!(wakes(&event, PollFlags::IN, 1000));
}

#[test]
fn pressure_is_told_and_wakes_a_poll() {
    let Some(child) = child("pressure", 24 * MIB) else { return };
    let memory = child.memory().expect("has memory");
    let (Ok(before), Ok(path)) = (memory.pressure(), memory.pressure_path()) else {
        return eprintln!("skipped: no memory pressure is told here");
    };
    let trigger = match Trigger::arm(&path, Stall::Some, 10_000, 1_000_000) {
        Ok(trigger) => trigger,
        Err(refusal) => return eprintln!("skipped: no pressure trigger: {refusal}"),
    };
    // Reading more than fits, again and again, makes the kernel reclaim all the time.
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pressure");
    std::fs::write(&file, vec![1; 64 << 20]).expect("write");
    let line = format!("tail /dev/zero; while :; do cat {} > /dev/null; done", file.display());
    let mut running = shell(&child, &line).spawn().expect("run");
    let woken = wakes(&trigger, PollFlags::PRI, 10_000);
    child.kill_all(PATIENCE).expect("kill");
    running.wait().expect("wait");
    std::fs::remove_file(&file).expect("remove");
    let after = memory.pressure().expect("pressure");
    assert!(woken, "stalled for {} us", after.some.total_us - before.some.total_us);
    assert!(after.some.total_us > before.some.total_us);
}

#[test]
fn what_a_dead_run_left_is_removed_and_the_living_is_kept() {
    let Some(child) = child("stale", 64 * MIB) else { return };
    let ours = child.memory().expect("has memory").dir().to_path_buf();
    // No process has started at tick 1, whatever its pid.
    let left = ours.with_file_name(format!("plimsoll-{}-1-x", std::process::id()));
    std::fs::create_dir(&left).expect("a cgroup left behind");
    assert!(remove_stale(Path::new("/"), &layout()) >= 1);
    assert!(!left.exists() && ours.exists());
    drop(child);
    assert!(!ours.exists(), "dropping removes it");
}
