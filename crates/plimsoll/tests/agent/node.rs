//! A real Node process that tells its heap.

use super::MIB;
use super::common::PLIMSOLL;
use super::process::{Agent, value};
use std::path::PathBuf;
use std::process::{Child, Command, Output};

struct Preload(tempfile::TempDir);

impl Preload {
    fn new() -> Preload {
        let folder = tempfile::tempdir().expect("a folder");
        let output = Command::new(PLIMSOLL).args(["agent", "--preload"]).output().expect("plimsoll starts");
        assert!(output.status.success() && !output.stdout.is_empty());
        std::fs::write(folder.path().join("heap.cjs"), output.stdout).expect("a file");
        Preload(folder)
    }

    /// `node` with it.
    fn node(&self, more: &str, script: &str) -> Command {
        let mut command = Command::new("node");
        let path = self.0.path().join("heap.cjs");
        command.args(["-e", script]).env("NODE_OPTIONS", format!("--require {} {more}", path.display()));
        command
    }
}

fn file(pid: u32) -> PathBuf {
    PathBuf::from(format!("/tmp/plimsoll-heap-{pid}"))
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = std::fs::remove_file(file(self.0.id()));
    }
}

#[test]
fn a_heap_is_seen_with_its_limit() {
    let preload = Preload::new();
    let script = "globalThis.held = []; for (let i = 0; i < 100; i++) held.push(new Array(1e5).fill(i)); setInterval(() => {}, 1000)";
    let running = Running(preload.node("--max-old-space-size=256", script).spawn().expect("node starts"));
    let small = Running(
        preload.node("--max-old-space-size=512", "setInterval(() => {}, 1000)").spawn().expect("node starts"),
    );
    let agent = Agent::start(&[]);
    let text = agent.shows("both heaps", |text| {
        text.lines()
            .any(|line| line.starts_with("plimsoll_container_nodejs_processes{") && !line.ends_with(" 1"))
    });
    let of = |name: &str| {
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).next().expect("a value")
    };
    let (used, limit) =
        (of("plimsoll_container_nodejs_heap_used_bytes{"), of("plimsoll_container_nodejs_heap_limit_bytes{"));
    // V8's young generation comes on top of the old space's 256 MiB.
    assert!((256.0 * MIB..400.0 * MIB).contains(&limit), "of the one nearest to its limit: {limit}");
    assert!((70.0 * MIB..limit).contains(&used), "{used}");
    assert!(value(&text, "plimsoll_agent_blind", &["what=\"heap\""]).is_some());
    drop((running, small));
}

#[test]
fn a_program_does_not_know_that_it_is_there() {
    let preload = Preload::new();
    let run = |script: &str| -> Output { preload.node("", script).output().expect("node starts") };
    let check = |script: &str, out: &str, code: i32| {
        let output = run(script);
        let said = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        assert_eq!((said, output.status.code()), ((out.to_string(), String::new()), Some(code)), "{script}");
    };
    check("console.log(1)", "1\n", 0);
    check("process.exit(7)", "", 7);
    // Long enough for a file: it is there, is its own, and goes with the process.
    let script = "setTimeout(() => console.log(require('fs').readFileSync(`/tmp/plimsoll-heap-${process.pid}`, 'utf8').length, process.pid), 2000)";
    let output = run(script);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (length, pid) = said.trim().split_once(' ').expect("two numbers");
    assert_eq!(length, "59");
    assert!(!file(pid.parse().expect("a number")).exists());
    // Nothing that can be in its way is.
    check("require('fs').openSync = () => { throw 1 }; setTimeout(() => {}, 1500)", "", 0);
    check("require('v8').getHeapStatistics = undefined; setTimeout(() => console.log(2), 1500)", "2\n", 0);
    check(
        "globalThis.setInterval = () => { throw 1 }; delete globalThis.setTimeout; console.log(3)",
        "3\n",
        0,
    );
    let other = "const n = `/tmp/plimsoll-heap-${process.pid}`; const fs = require('fs'); fs.symlinkSync('/nowhere/x', n); \
         setTimeout(() => { console.log(fs.lstatSync(n).isSymbolicLink()); fs.unlinkSync(n) }, 1500)";
    check(other, "true\n", 0);
    check(
        "new (require('worker_threads').Worker)('setTimeout(() => {}, 100)', {eval: true}).on('exit', () => console.log(4))",
        "4\n",
        0,
    );
}
