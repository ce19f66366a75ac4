//! An unmodified `make -j8` in a real memory cgroup that holds three of its eight jobs: the kernel kills plainly,
//! and nobody dies under the freezer.

use plimsoll_core::freezer::{Branch, Freezer, View};
use plimsoll_core::size::MIB;
use plimsoll_probe::cgroup::{Child, Layout};
use plimsoll_probe::proc::{Process, Scan};
use rustix::process::Signal;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const LIMIT_BYTES: u64 = 512 * MIB;
/// What one job needs: 130 MiB and the interpreter.
const NEED_BYTES: u64 = 142 * MIB;
const MARGIN_BYTES: u64 = 40 * MIB;
const TICK: Duration = Duration::from_millis(15);

/// Each job takes 130 MiB in about a second, and holds it for a moment.
const JOB: &str = "import time\nheld = []\nfor _ in range(130):\n    held.append(b'x' * (1 << 20))\n    time.sleep(0.006)\ntime.sleep(0.2)\n";

#[derive(Debug)]
struct Ended {
    succeeded: bool,
    kills: u64,
    freezes: usize,
}

/// One look at the tree and what follows from it; the number of jobs that were stopped.
fn tick(child: &Child, scan: &mut Scan, freezer: &mut Freezer, now_ms: u64) -> usize {
    let pids: Vec<i32> = child.members().iter().filter_map(|pid| i32::try_from(*pid).ok()).collect();
    let jobs: Vec<Process> =
        scan.of(&pids).into_iter().filter(|process| process.program.starts_with("python")).collect();
    let branch = |job: &Process| Branch {
        id: job.pid as u64,
        started: job.start_ticks,
        current_bytes: job.private_bytes.unwrap_or(0),
        promise_bytes: NEED_BYTES,
        frozen: job.state == 'T',
        patient: true,
        active: job.state != 'T',
    };
    let branches: Vec<Branch> = jobs.iter().map(branch).collect();
    let used_bytes = child.memory().and_then(|group| group.non_reclaimable_bytes().ok()).unwrap_or(0);
    let view = View {
        budget_bytes: LIMIT_BYTES,
        used_bytes,
        margin_bytes: MARGIN_BYTES,
        branches: &branches,
        now_ms,
    };
    let verdict = freezer.decide(&view);
    let signal = |ids: &[u64], signal: Signal| {
        jobs.iter().filter(|job| ids.contains(&(job.pid as u64)) && job.signal(signal)).count()
    };
    signal(&verdict.thaw, Signal::CONT);
    signal(&verdict.freeze, Signal::STOP)
}

/// Runs the build; `None`, said aloud, where no memory cgroup can be made.
fn build(label: &str, frozen: bool) -> Option<Ended> {
    let child = Child::create(&Layout::detect(Path::new("/"), std::process::id()), label, Some(LIMIT_BYTES));
    let child = child.inspect_err(|refusal| eprintln!("skipped: {refusal}")).ok()?;
    if child.memory().is_none_or(|group| group.limit_bytes().ok().flatten() != Some(LIMIT_BYTES)) {
        eprintln!("skipped: no limit can be set: {:?}", child.notes());
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("job.py"), JOB).unwrap();
    let makefile = "all: 1 2 3 4 5 6 7 8\n1 2 3 4 5 6 7 8:\n\t@python3 job.py\n";
    std::fs::write(folder.path().join("Makefile"), makefile).unwrap();
    // It waits to be told, so that nothing runs before it is in the cgroup.
    let mut make = Command::new("sh")
        .args(["-c", "read go; exec make -k -j8"])
        .current_dir(folder.path())
        .env_remove("MAKEFLAGS")
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.attach(make.id()).unwrap();
    make.stdin.take().unwrap().write_all(b"go\n").unwrap();

    let (mut scan, mut freezer) = (Scan::new(Path::new("/")), Freezer::default());
    let (begun, mut freezes) = (Instant::now(), 0);
    let status = loop {
        if let Some(status) = make.try_wait().unwrap() {
            break status;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "a frozen build is never a hung build");
        if frozen {
            freezes += tick(&child, &mut scan, &mut freezer, begun.elapsed().as_millis() as u64);
        }
        sleep(TICK);
    };
    let kills = child.memory().unwrap().oom_kills().unwrap();
    child.kill_all(Duration::from_secs(2)).unwrap();
    child.remove().unwrap();
    Some(Ended { succeeded: status.success(), kills, freezes })
}

#[test]
fn make_j8_dies_plainly_and_comes_through_frozen() {
    let Some(plain) = build("freezer-plain", false) else { return };
    assert!(!plain.succeeded && plain.kills > 0, "{plain:?}");
    let frozen = build("freezer-frozen", true).unwrap();
    assert!(frozen.succeeded, "{frozen:?}");
    assert_eq!(frozen.kills, 0, "{frozen:?}");
    assert!(frozen.freezes > 0, "{frozen:?}");
    eprintln!("plain {plain:?}, frozen {frozen:?}");
}
