//! The jobserver with the clients it is for: make, ninja, cargo and GCC as installed. A client that is missing is
//! skipped, and the test says so.

use super::flags::{Clients, Environment, VARIABLES, detect, environment, take_jobs};
use super::ledger::LOST_AFTER_MS;
use super::*;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder for a build whose jobs write `s` to a log when they start and `e` when they end.
struct Site {
    dir: TempDir,
}

impl Site {
    fn new() -> Site {
        Site { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn makefile(&self, jobs: u32, seconds: &str) {
        let targets: Vec<String> = (0..jobs).map(|job| format!("job{job}")).collect();
        let targets = targets.join(" ");
        self.write(
            "Makefile",
            &format!("all: {targets}\n{targets}:\n\t@echo s >>log; sleep {seconds}; echo e >>log\n"),
        );
    }

    /// How many jobs ran at once after each line of the log.
    fn running(&self) -> Vec<i32> {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        let change = |line: &str| if line == "s" { 1 } else { -1 };
        log.lines()
            .scan(0, |sum, line| {
                Some({
                    *sum += change(line);
                    *sum
                })
            })
            .collect()
    }

    fn most(&self) -> i32 {
        self.running().into_iter().max().unwrap_or(0)
    }

    fn command(&self, jobserver: &Jobserver, clients: Clients, words: &[&str]) -> Command {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let taken = take_jobs(&words, &jobserver.auth(), clients);
        let words = taken.as_ref().map_or(words, |taken| taken.command.clone());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(self.dir.path()).env("LC_ALL", "C");
        for name in VARIABLES {
            command.env_remove(name);
        }
        let Environment::Set(set) = environment(&jobserver.auth(), clients, taken.as_ref(), |_| None) else {
            panic!("no variable is set, so there is no outer jobserver");
        };
        command.envs(set).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        jobserver.attach(&mut command);
        command
    }
}

fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `None`, with a word on it, where make is none that can be a client.
fn make_client() -> Option<Clients> {
    let clients = detect(version("make").as_deref(), None);
    if clients.make.is_none() {
        eprintln!("skipped: no GNU make from 4.2 on (apt-get install make)");
    }
    clients.make.map(|_| clients)
}

fn succeed(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn assert_all_back(jobserver: &Jobserver, tokens: u32) {
    let expect = Counts { target: tokens, waiting: tokens, outstanding: 0, lost: 0 };
    assert_eq!(jobserver.counts().unwrap(), expect);
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "still waiting for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn make_runs_one_job_more_than_there_are_tokens() {
    let Some(clients) = make_client() else { return };
    for tokens in [0, 2, 4] {
        let site = Site::new();
        site.makefile(12, "0.15");
        let jobserver = Jobserver::create(site.dir.path(), tokens).unwrap();
        let output = succeed(site.command(&jobserver, clients, &["make", "-j8"]).spawn().unwrap());
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(site.running().len(), 24);
        assert_eq!(site.most(), tokens as i32 + 1);
        assert_all_back(&jobserver, tokens);
    }
}

#[test]
fn a_target_changed_while_make_runs_changes_what_runs() {
    let Some(clients) = make_client() else { return };
    let site = Site::new();
    site.makefile(60, "0.1");
    let jobserver = Jobserver::create(site.dir.path(), 5).unwrap();
    let child = site.command(&jobserver, clients, &["make", "-j8"]).spawn().unwrap();
    wait_for("six jobs at once", || site.most() == 6);

    let lowered_at = site.running().len();
    jobserver.set_target(1).unwrap();
    wait_for("the tokens to come back", || {
        let counts = jobserver.counts().unwrap();
        counts.waiting + counts.outstanding == 1
    });
    let lowered_by = site.running().len();
    wait_for("a while with two jobs", || site.running().len() >= lowered_by + 12);
    let raised_at = site.running().len();
    jobserver.set_target(3).unwrap();
    succeed(child);

    let running = site.running();
    eprintln!("lowered from 6 to 2 jobs within {} ends and starts", lowered_by - lowered_at);
    assert_eq!(running.len(), 120);
    // What was let in before the last token came back may still have to end.
    assert_eq!(running[lowered_by + 4..raised_at].iter().max(), Some(&2));
    assert_eq!(running[raised_at..].iter().max(), Some(&4));
    assert_all_back(&jobserver, 3);
}

#[test]
fn tokens_of_a_killed_make_are_issued_again() {
    let Some(clients) = make_client() else { return };
    let site = Site::new();
    site.makefile(8, "0.4");
    let jobserver = Jobserver::create(site.dir.path(), 3).unwrap();
    let mut child = site.command(&jobserver, clients, &["make", "-j8"]).spawn().unwrap();
    wait_for("four jobs at once", || site.most() == 4);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(jobserver.counts().unwrap().outstanding, 3);

    assert_eq!(jobserver.reconcile(Some(4), 0).unwrap(), 0, "four jobs live: nothing is known to be lost");
    assert_eq!(jobserver.reconcile(Some(0), 100).unwrap(), 0);
    assert_eq!(jobserver.reconcile(Some(0), 100 + LOST_AFTER_MS).unwrap(), 3);
    let expect = Counts { target: 3, waiting: 3, outstanding: 0, lost: 3 };
    assert_eq!(jobserver.counts().unwrap(), expect);
}

#[test]
fn a_make_that_is_told_its_jobs_leaves_our_tokens() {
    let Some(clients) = make_client() else { return };
    let site = Site::new();
    site.makefile(6, "0.1");
    let jobserver = Jobserver::create(site.dir.path(), 1).unwrap();
    let mut command = site.command(&jobserver, clients, &["make", "-j8"]);
    command.arg("-j6");
    let output = succeed(command.spawn().unwrap());
    assert!(String::from_utf8_lossy(&output.stderr).contains("resetting jobserver mode"));
    assert_eq!(site.most(), 6);
    assert_all_back(&jobserver, 1);
}

#[test]
fn a_plain_make_beside_ninja_stays_one_job_at_a_time() {
    let Some(clients) = make_client() else { return };
    let site = Site::new();
    site.makefile(4, "0.05");
    let jobserver = Jobserver::create(site.dir.path(), 3).unwrap();
    let clients = Clients { ninja: true, ..clients };
    let mut command = site.command(&jobserver, clients, &["make"]);
    let flags = command.get_envs().find(|(name, _)| *name == "MAKEFLAGS").and_then(|(_, value)| value);
    assert!(flags.is_some_and(|flags| flags.to_string_lossy().contains("fifo:")));
    let output = succeed(command.spawn().unwrap());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(site.most(), 1);
    assert_all_back(&jobserver, 3);
}

#[test]
fn ninja_runs_one_job_more_than_there_are_tokens() {
    let program = std::env::var("NINJA").unwrap_or_else(|_| "ninja".into());
    let clients = detect(version("make").as_deref(), version(&program).as_deref());
    if !clients.ninja {
        eprintln!("skipped: no ninja from 1.13 on ($NINJA, or pip install 'ninja>=1.13')");
        return;
    }
    let site = Site::new();
    let builds: String = (0..12).map(|job| format!("build job{job}: job\n")).collect();
    site.write(
        "build.ninja",
        &format!("rule job\n  command = echo s >>log; sleep 0.15; echo e >>log; touch $out\n{builds}"),
    );
    let jobserver = Jobserver::create(site.dir.path(), 2).unwrap();
    succeed(site.command(&jobserver, clients, &[&program, "-j9"]).spawn().unwrap());
    assert_eq!(site.running().len(), 24);
    assert_eq!(site.most(), 3);
    assert_all_back(&jobserver, 2);
}

#[test]
fn cargo_runs_one_rustc_more_than_there_are_tokens() {
    let site = Site::new();
    site.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"c*\"]\n");
    for number in 0..8 {
        let name = format!("c{number}");
        site.write(&format!("{name}/src/lib.rs"), "pub fn answer() -> u32 {\n    42\n}\n");
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        site.write(&format!("{name}/Cargo.toml"), &manifest);
    }
    // Cargo also asks the compiler for its version; only a compiler with a crate to build is a job.
    site.write(
        "wrapper",
        "#!/bin/sh\ncase \"$*\" in *--crate-name\\ c[0-9]*) ;; *) exec \"$@\" ;; esac\n\
         echo s >>\"$SITE/log\"; sleep 0.3; \"$@\"; code=$?; echo e >>\"$SITE/log\"; exit $code\n",
    );
    rustix::fs::chmod(site.path("wrapper"), rustix::fs::Mode::RWXU).unwrap();
    for (kind, tokens) in [(flags::Kind::Pipe, 1), (flags::Kind::Fifo, 3)] {
        let jobserver = Jobserver::create(site.dir.path(), tokens).unwrap();
        let clients = Clients { make: None, ninja: false, cargo: kind };
        let _ = fs::remove_file(site.path("log"));
        let target = format!("target-{kind:?}");
        let words = ["cargo", "build", "-j9", "--offline", "--target-dir", &target];
        let mut command = site.command(&jobserver, clients, &words);
        command.env("RUSTC_WRAPPER", site.path("wrapper")).env("SITE", site.dir.path());
        succeed(command.spawn().unwrap());
        assert_eq!(site.running().len(), 16, "{kind:?}");
        assert_eq!(site.most(), tokens as i32 + 1, "{kind:?}");
        assert_all_back(&jobserver, tokens);
    }
}

#[test]
fn link_time_optimisation_finds_the_jobserver() {
    let Some(clients) = make_client() else { return };
    if version("gcc").is_none() {
        eprintln!("skipped: no gcc (apt-get install gcc)");
        return;
    }
    let site = Site::new();
    site.write("a.c", "int b(int);\nint main(void) { return b(0); }\n");
    site.write("b.c", "int b(int x) { return x; }\n");
    site.write("Makefile", "all:\n\t+@gcc -O1 -flto=jobserver a.c b.c -o app && ./app\n");
    let jobserver = Jobserver::create(site.dir.path(), 2).unwrap();
    let output = succeed(site.command(&jobserver, clients, &["make", "-j3"]).spawn().unwrap());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "GCC warns where it finds no jobserver");
    assert_all_back(&jobserver, 2);
}
