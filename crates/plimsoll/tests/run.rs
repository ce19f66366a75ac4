//! `plimsoll run` as a user meets it: exit codes, streams, signals, and real kills in real cgroups.

mod common;

use common::{Bench, PLIMSOLL, cgroups, eater};
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn code(flags: &[&str], command: &[&str]) -> Option<i32> {
    Bench::new().run(flags, command).status.code()
}

#[test]
fn the_exit_code_is_the_child_s_own() {
    let check = |command: &[&str], expect| assert_eq!(code(&[], command), Some(expect), "{command:?}");
    check(&["true"], 0);
    check(&["false"], 1);
    check(&["sh", "-c", "exit 7"], 7);
    check(&["sh", "-c", "kill -TERM $$"], 143);
    check(&["plimsoll-has-no-such-command"], 127);
    check(&["/etc/passwd"], 126);
}

#[test]
fn a_user_s_mistake_is_125_and_starts_nothing() {
    let check = |flags: &[&str], says: &str| {
        let bench = Bench::new();
        let output = bench.run(flags, &["touch", "started"]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(125), "{flags:?}: {text}");
        assert!(text.contains(says), "{flags:?}: {text}");
        assert!(!bench.path("started").exists());
    };
    check(&["--limit", "lots"], "'lots' is not a size");
    check(&["--mode", "turbo"], "'turbo' is no mode");
    check(&["--no-such-flag"], "--no-such-flag");
    check(&["--config", "absent.yaml"], "absent.yaml");
    check(&["--attempts", "0"], "--attempts");
}

#[test]
fn output_passes_byte_for_byte() {
    let script = "head -c 300000 /dev/zero; printf '\\033[31mred\\377\\n'; printf 'apart\\n' >&2";
    let plain = std::process::Command::new("sh").args(["-c", script]).output().unwrap();
    let ours = Bench::new().run(&["--quiet"], &["sh", "-c", script]);
    assert!(plain.stdout == ours.stdout);
    assert_eq!(String::from_utf8_lossy(&ours.stderr), "apart\n");
}

#[test]
fn two_streams_into_one_file_keep_their_order() {
    let bench = Bench::new();
    let file = std::fs::File::create(bench.path("log")).unwrap();
    let script = "for i in 1 2 3 4 5 6 7 8; do echo out$i; echo err$i >&2; done";
    let mut run = bench.command(&["--quiet"], &["sh", "-c", script]);
    run.stdout(file.try_clone().unwrap()).stderr(file);
    run.status().unwrap();
    let expect: String = (1..=8).map(|i| format!("out{i}\nerr{i}\n")).collect();
    assert_eq!(std::fs::read_to_string(bench.path("log")).unwrap(), expect);
}

#[test]
fn stdin_passes() {
    let bench = Bench::new();
    let mut run = bench.command(&["--quiet"], &["cat"]);
    let mut child = run.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"hello\n").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"hello\n");
}

#[test]
fn a_terminal_stays_a_terminal() {
    if std::process::Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: script(1) is missing");
        return;
    }
    let bench = Bench::new();
    let inner = format!(
        "{PLIMSOLL} run --quiet --store {} -- sh -c 'test -t 0 && test -t 1 && test -t 2 && echo tty'",
        bench.path("store").display()
    );
    let output = std::process::Command::new("script").args(["-qec", &inner, "/dev/null"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("tty"), "{output:?}");
}

#[test]
fn a_full_heap_is_seen_on_a_terminal_too() {
    let missing = |tool: &str| std::process::Command::new(tool).arg("--version").output().is_err();
    if let Some(tool) = ["script", "node"].into_iter().find(|tool| missing(tool)) {
        eprintln!("skipped: {tool} is missing");
        return;
    }
    let bench = Bench::new();
    let eat = "const held = []; for (;;) held.push(new Array(1e5).fill(held.length))";
    let (store, report) = (bench.path("store"), bench.path("report.json"));
    let inner = format!(
        "{PLIMSOLL} run --attempts 1 --limit 512MiB --store {} --report {} -- node -e '{eat}'",
        store.display(),
        report.display()
    );
    std::process::Command::new("script").args(["-qec", &inner, "/dev/null"]).output().unwrap();
    let report = bench.report();
    assert_eq!(report["outcome"], "out_of_memory", "{report:#}");
    assert_eq!(report["attempts"][0]["heap_errors"], 1, "{report:#}");
}

#[test]
fn a_genuine_failure_is_tried_once() {
    let bench = Bench::new();
    let output = bench.run(&[], &["sh", "-c", "echo x >> tries; echo 'expected 1, got 2' >&2; exit 1"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(bench.path("tries")).unwrap(), "x\n");
    let report = bench.report();
    assert_eq!(report["schema"], "plimsoll.run/1");
    assert_eq!(report["outcome"], "failed");
    assert_eq!(report["attempts"].as_array().unwrap().len(), 1);
}

#[test]
fn a_failure_is_tried_again_where_a_rule_says_so() {
    let bench = Bench::new();
    std::fs::write(bench.path("plimsoll.yaml"), "retry: [{text: ECONNRESET, exit_code: 7, max: 2}]").unwrap();
    let check = |script: &str, code: i32, attempts: usize| {
        let output = bench.run(&[], &["sh", "-c", script]);
        assert_eq!(output.status.code(), Some(code), "{script}");
        assert_eq!(bench.report()["attempts"].as_array().unwrap().len(), attempts, "{script}");
    };
    check("echo ECONNRESET >&2; [ -e tried ] || { touch tried; exit 7; }", 0, 2);
    check("echo read ECONNRESET; exit 7", 7, 3);
    check("echo ECONNRESET; exit 8", 8, 1);
    check("exit 7", 7, 1);
}

#[test]
fn what_cannot_fit_stops_with_87_and_a_need() {
    if !cgroups() {
        return;
    }
    let bench = Bench::new();
    let output = bench.run(&["--limit", "96MiB"], &[eater().to_str().unwrap(), "200"]);
    let report = bench.report();
    assert_eq!(output.status.code(), Some(87), "{report:#}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(report["outcome"], "out_of_memory");
    assert!(report["need_bytes"].as_u64().unwrap() > 96 << 20);
    assert!(report["attempts"].as_array().unwrap().len() <= 2, "{report:#}");
}

#[test]
fn a_kill_hidden_by_the_script_is_still_seen() {
    if !cgroups() {
        return;
    }
    let bench = Bench::new();
    let script = format!("{} 200; true", eater().display());
    let output = bench.run(&["--limit", "96MiB"], &["sh", "-c", &script]);
    let report = bench.report();
    assert_eq!(output.status.code(), Some(0), "the exit code is the child's own");
    assert_eq!(report["outcome"], "succeeded");
    assert!(report["attempts"][0]["kernel_kills"].as_u64().unwrap() >= 1, "{report:#}");
}

/// Nearly all memory is held, and a file larger than the rest is read again and again: nothing is killed, nothing ends.
#[test]
fn a_livelock_is_ended_within_seconds() {
    if !cgroups() {
        return;
    }
    let bench = Bench::new();
    let mut file = std::fs::File::create(bench.path("code")).unwrap();
    file.write_all(&vec![1u8; 64 << 20]).unwrap();
    file.sync_all().unwrap();
    // Out of the page cache, where it would be counted as ours and not as the build's.
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    let started = Instant::now();
    let eater = eater();
    let command = [eater.to_str().unwrap(), "84", "0", "120000", "code"];
    let output = bench.run(&["--limit", "96MiB", "--attempts", "1"], &command);
    let report = bench.report();
    assert_eq!(report["attempts"][0]["cause"], "livelock", "{report:#}");
    assert_eq!(report["attempts"][0]["kernel_kills"], 0, "{report:#}");
    assert!(matches!(output.status.code(), Some(86 | 87)), "{output:?}");
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

/// No jobserver, no make, a program nobody knows, all eight growing in step and far faster than a poll.
#[test]
fn a_script_that_starts_eight_at_once_loses_none() {
    if !cgroups() {
        return;
    }
    let kernel_kills = |grow_ms: u32| {
        let bench = Bench::new();
        let one = format!("{} 90 {grow_ms} 100 &", eater().display());
        let output = bench.run(&["--limit", "320MiB"], &["sh", "-c", &format!("{} wait", one.repeat(8))]);
        let report = bench.report();
        assert_eq!(output.status.code(), Some(0), "{report:#}");
        report["attempts"][0]["kernel_kills"].as_u64().unwrap()
    };
    for grow_ms in [0, 400] {
        // Without a freezer some are killed each time. With one, a machine that has other work may not let it run in the
        // 100 ms that eight take to fill their limit as fast as memory can be had; not three times in a row.
        let tries = [(); 3].iter().map(|()| kernel_kills(grow_ms));
        assert!(tries.into_iter().any(|kills| kills == 0), "all in {grow_ms} ms");
    }
}

/// An unmodified `make -j8` of steps that do not fit together.
fn makefile(steps: u32, mib: u32) -> String {
    let eater = eater();
    let targets: Vec<String> = (0..steps).map(|step| format!("s{step}")).collect();
    let all = targets.join(" ");
    format!("all: {all}\n{all}:\n\t{} {mib} 400 100\n\ttouch $@\n", eater.display())
}

#[test]
fn make_j8_comes_through_where_it_does_not_fit() {
    if !cgroups() {
        return;
    }
    let bench = Bench::new();
    std::fs::write(bench.path("Makefile"), makefile(8, 90)).unwrap();
    let output = bench.run(&["--limit", "320MiB"], &["make", "-j8"]);
    let report = bench.report();
    assert_eq!(output.status.code(), Some(0), "{report:#}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!((0..8).all(|step| bench.path(&format!("s{step}")).exists()));
    let warm = bench.run(&["--limit", "320MiB"], &["make", "-B", "-j8"]);
    let report = bench.report();
    assert_eq!(warm.status.code(), Some(0), "{report:#}");
    assert_eq!(report["attempts"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(report["attempts"][0]["kernel_kills"], 0, "warm: no kernel kill: {report:#}");
}

/// What ends together with the command is no less known than what ended before it.
#[test]
fn the_last_process_is_learned_too() {
    let bench = Bench::new();
    let eater = eater();
    let output = bench.run(&["--job", "x"], &[eater.to_str().unwrap(), "40", "0", "600"]);
    assert_eq!(output.status.code(), Some(0));
    let jobs = std::fs::read_dir(bench.path("store/jobs")).unwrap().flatten();
    let profile = jobs.map(|entry| entry.path()).find(|path| path.extension().is_some()).unwrap();
    let profile: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(profile).unwrap()).unwrap();
    let peak_bytes = profile["programs"]["eater"]["peak_bytes"].as_u64().unwrap();
    assert!(peak_bytes >= 40 << 20, "{profile:#}");
}

#[test]
fn sigterm_reaches_the_build_and_ends_the_run() {
    let bench = Bench::new();
    let script = "trap 'echo told > told; exit 3' TERM; touch ready; sleep 30 & wait";
    let mut child = bench.command(&[], &["sh", "-c", script]).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while !bench.path("ready").exists() && started.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(3), "the build answered the signal itself");
    assert!(bench.path("told").exists());
    assert_eq!(bench.report()["outcome"], "signalled");
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_daemon_left_behind_neither_blocks_nor_dies() {
    let bench = Bench::new();
    let started = Instant::now();
    let output = bench.run(&[], &["sh", "-c", "sleep 20 & echo $! > pid; echo built"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(10));
    let pid = std::fs::read_to_string(bench.path("pid")).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    assert!(rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok(), "it still ran");
}

#[test]
fn a_group_kill_is_remembered_and_the_retry_starts_below() {
    let bench = Bench::new();
    std::fs::write(bench.path("Makefile"), "all:\n\t[ -e ready ] || { touch ready; sleep 30; }\n").unwrap();
    let command = ["make", "-j8"];
    let mut child = bench.command(&["--limit", "300MiB"], &command).spawn().unwrap();
    while !bench.path("ready").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let output = bench.run(&["--limit", "300MiB"], &command);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("did not come back"), "the summary says what was found: {text}");
    let report = bench.report();
    assert!(report["attempts"][0]["jobs"].as_u64().unwrap() <= 4, "half of what died: {report:#}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let check = |arguments: &[&str]| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = std::process::Command::new(PLIMSOLL).args(arguments).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    };
    check(&["man"]);
    check(&["budget"]);
    check(&["completions", "bash"]);
    check(&["run", "--dry-run", "--", "true"]);
}

#[test]
fn dry_run_shows_and_starts_nothing() {
    let bench = Bench::new();
    let output = bench.run(&["--limit", "2GiB", "--dry-run"], &["make", "-j8", "touched"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    for word in ["critical", "PLIMSOLL_BUDGET_MIB", "--limit"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!bench.path("report.json").exists());
}

/// Refuses what profiles of container runtimes have refused, and old kernels do not have: pidfd_open,
/// pidfd_send_signal, eventfd2, inotify_init1 and prctl's subreaper; then becomes the command.
const REFUSE: &str = r#"
import ctypes, os, struct, sys
refused = {'x86_64': [434, 424, 290, 294, 157], 'aarch64': [434, 424, 19, 26, 167]}[os.uname().machine]
libc = ctypes.CDLL(None, use_errno=True)
step = lambda code, yes, no, value: struct.pack('HBBI', code, yes, no, value)
steps = [step(0x20, 0, 0, 0)]
steps += [step(0x15, len(refused) - at, 0, number) for at, number in enumerate(refused)]
steps += [step(0x06, 0, 0, 0x7fff0000), step(0x06, 0, 0, 0x00050001)]
code = ctypes.create_string_buffer(b''.join(steps))
program = ctypes.create_string_buffer(struct.pack('HxxxxxxP', len(steps), ctypes.addressof(code)))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program) == 0
os.execvp(sys.argv[1], sys.argv[1:])
"#;

#[test]
fn a_seccomp_profile_is_no_obstacle() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: python3 is missing");
        return;
    }
    let bench = Bench::new();
    let run = |flags: &[&str], script: &str| {
        let plain = bench.command(flags, &["sh", "-c", script]);
        let mut refused = std::process::Command::new("python3");
        refused.args(["-c", REFUSE]).arg(plain.get_program()).args(plain.get_args());
        refused.current_dir(bench.folder.path()).output().unwrap()
    };
    let output = run(&[], "echo built; exit 7");
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    assert_eq!(output.stdout, b"built\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("orphans"), "it says so: {output:?}");
    let started = Instant::now();
    run(&["--timeout", "1s"], "sleep 30 & wait");
    assert_eq!(bench.report()["outcome"], "timed_out");
    assert!(started.elapsed() < Duration::from_secs(15), "what it cannot hold it still can end");
}
