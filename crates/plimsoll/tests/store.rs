//! The store under what CI does to it: many jobs at once, kills in the middle of a write, writes that fail.
//!
//! Other processes are this test binary again: a test that finds [`ROLE`] in its environment plays that part.

use plimsoll::store::Store;
use plimsoll::store::key::Key;
use plimsoll_core::attempt::{Attempt, Census, ProgramUse, Setting};
use plimsoll_core::mode::Mode;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::profile::{Profile, Run};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROLE: &str = "STORE_TEST_ROLE";
const FOLDER: &str = "STORE_TEST_FOLDER";
const WRITERS: usize = 8;
const UPDATES: usize = 20;

fn key() -> Key {
    Key { project: "group/project".into(), job: "build".into(), command: "make".into() }
}

fn profile_path(folder: &Path) -> PathBuf {
    folder.join("jobs").join(key().file_name())
}

fn profile(folder: &Path) -> Profile {
    let text = fs::read(profile_path(folder)).expect("the profile is there");
    serde_json::from_slice(&text).expect("the profile is whole")
}

/// Names of everything in the store but the lock.
fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder.join("jobs")).expect("the store is there").flatten();
    let mut names: Vec<String> =
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.ends_with("lock"));
    names.sort();
    names
}

fn attempt() -> Attempt {
    Attempt {
        setting: Setting {
            mode: Mode::Safe,
            jobs: 4,
            heap_bytes: None,
            worker_heap_bytes: None,
            less_work: false,
        },
        budget_bytes: Some(2 << 30),
        outcome: Outcome::Failed,
        cause: None,
        exit_code: Some(1),
        kernel_kills: Some(0),
        heap_errors: 0,
        freezes: 0,
        wall_ms: 1000,
        census: Census::default(),
    }
}

/// A run that failed by itself, and one program nobody else learns.
fn finish(store: &mut Store, program: String) {
    let run = Run { ended_unix_ms: 1, outcome: Outcome::Failed, attempts: vec![attempt()] };
    store.finish(run, &BTreeMap::from([(program, ProgramUse { count: 1, peak_bytes: 1 << 20 })]));
}

/// This binary again, as `role`, in the test of that name.
fn play(test: &str, role: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary has a path"));
    command.args(["--exact", test, "--nocapture"]).env(ROLE, role).env(FOLDER, folder).stdout(Stdio::null());
    command
}

/// The part this process was started to play, and where; `None` in the test itself.
fn part() -> Option<(String, PathBuf)> {
    Some((std::env::var(ROLE).ok()?, std::env::var_os(FOLDER)?.into()))
}

#[test]
fn jobs_at_the_same_time_lose_nothing() {
    if let Some((role, folder)) = part() {
        for update in 0..UPDATES {
            let mut store = Store::open(&folder, key());
            store.begin(attempt(), update as u64);
            finish(&mut store, format!("writer {role} update {update}"));
            assert_eq!(store.notes, Vec::<String>::new());
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let start = |role: usize| {
        play("jobs_at_the_same_time_lose_nothing", &role.to_string(), folder.path())
            .spawn()
            .expect("it starts")
    };
    let writers: Vec<Child> = (0..WRITERS).map(start).collect();
    for mut writer in writers {
        assert!(writer.wait().expect("it ends").success());
    }
    let profile = profile(folder.path());
    assert_eq!(profile.programs.len(), WRITERS * UPDATES);
    assert_eq!(profile.intents, [], "each has settled its own");
    assert_eq!(files(folder.path()), [key().file_name()]);
}

#[test]
fn a_kill_leaves_the_old_or_the_new() {
    if let Some((_, folder)) = part() {
        let mut store = Store::open(&folder, key());
        for update in store.profile.programs.len().. {
            finish(&mut store, format!("program {update:05}"));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut known = 0;
    for round in 0..40u64 {
        let mut writer =
            play("a_kill_leaves_the_old_or_the_new", "writer", folder.path()).spawn().expect("it starts");
        let waited = Instant::now();
        let has_begun = || profile_path(folder.path()).exists();
        while !has_begun() && waited.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Spread over the writer's start and many of its writes.
        std::thread::sleep(Duration::from_micros(500 + round * 1370));
        writer.kill().expect("SIGKILL is delivered");
        writer.wait().expect("it is reaped");
        let programs = profile(folder.path()).programs.len();
        assert!(programs >= known, "round {round}: {known} programs were known, {programs} are left");
        known = programs;
    }
    assert!(known > 40, "the writers hardly wrote: {known}");
    let mut store = Store::open(folder.path(), key());
    assert_eq!(store.profile.programs.len(), known);
    finish(&mut store, "the last".into());
    assert_eq!(store.notes, Vec::<String>::new(), "a dead process holds no lock");
    assert_eq!(files(folder.path()), [key().file_name()], "what dead writers left is gone");
}

#[test]
fn an_attempt_that_died_with_its_process_is_evidence() {
    if let Some((_, folder)) = part() {
        Store::open(&folder, key()).begin(attempt(), 1);
        println!("begun");
        loop {
            std::thread::park();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut doomed = play("an_attempt_that_died_with_its_process_is_evidence", "doomed", folder.path())
        .spawn()
        .expect("it starts");
    let waited = Instant::now();
    let seen = || Store::open(folder.path(), key());
    while seen().profile.intents.is_empty() {
        assert!(waited.elapsed() < Duration::from_secs(20), "the intent never came to the disk");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(seen().evidence().intents, [], "it lives");
    doomed.kill().expect("SIGKILL is delivered");
    doomed.wait().expect("it is reaped");
    assert_eq!(seen().evidence().intents.len(), 1, "it died, and its attempt with it");
}

#[test]
fn a_corrupt_profile_is_set_aside_once_and_by_one() {
    if let Some((role, folder)) = part() {
        while !folder.join("go").exists() {
            std::hint::spin_loop();
        }
        finish(&mut Store::open(&folder, key()), format!("writer {role}"));
        return;
    }
    for round in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = profile_path(folder.path());
        fs::create_dir_all(path.parent().expect("it is in a folder")).unwrap();
        fs::write(&path, "{\"version\": 1, \"pro").unwrap();
        let start = |role: usize| {
            play("a_corrupt_profile_is_set_aside_once_and_by_one", &role.to_string(), folder.path())
                .spawn()
                .expect("it starts")
        };
        let writers: Vec<Child> = (0..WRITERS).map(start).collect();
        // All of them wait by now, so that all read the corrupt file before one has set it aside.
        std::thread::sleep(Duration::from_millis(30));
        fs::write(folder.path().join("go"), "").unwrap();
        for mut writer in writers {
            assert!(writer.wait().expect("it ends").success());
        }
        assert_eq!(profile(folder.path()).programs.len(), WRITERS, "round {round}");
        let aside: Vec<String> =
            files(folder.path()).into_iter().filter(|name| name.contains("corrupt")).collect();
        assert_eq!(aside.len(), 1, "round {round}: {aside:?}");
    }
}

#[test]
fn a_write_that_fails_is_said_and_leaves_the_old() {
    if let Some((_, folder)) = part() {
        let mut store = Store::open(&folder, key());
        for update in 0..100 {
            finish(&mut store, format!("program {update} that does not fit any more"));
        }
        assert_eq!(store.profile.programs.len(), 101, "the run still knows what it has learned");
        assert_eq!(store.notes.len(), 1, "{:?}", store.notes);
        assert!(store.notes[0].contains("nothing will be remembered of build"), "{}", store.notes[0]);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    finish(&mut Store::open(folder.path(), key()), "the first".into());
    // A file-size limit makes write(2) fail part of the way, as a full disk does, and needs no rights.
    let binary = play("a_write_that_fails_is_said_and_leaves_the_old", "full", folder.path());
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 3; exec \"$@\"", "sh"]).arg(binary.get_program());
    limited.args(binary.get_args()).env(ROLE, "full").env(FOLDER, folder.path()).stdout(Stdio::null());
    assert!(limited.status().expect("sh starts").success());
    assert!(profile(folder.path()).programs.contains_key("the first"));
    assert_eq!(files(folder.path()), [key().file_name()], "no half of a file is left");
}

#[test]
fn a_place_that_cannot_be_written_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for place in [file.as_path(), Path::new("/proc/plimsoll")] {
        let mut store = Store::open(place, key());
        store.begin(attempt(), 1);
        finish(&mut store, "program".into());
        assert_eq!(store.profile.programs.len(), 1);
        assert_eq!(store.notes.len(), 1, "{:?}", store.notes);
    }
}

#[test]
fn a_newer_profile_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    finish(&mut Store::open(folder.path(), key()), "program".into());
    let newer = r#"{"version": 999, "unheard_of": true}"#;
    fs::write(profile_path(folder.path()), newer).unwrap();
    let mut store = Store::open(folder.path(), key());
    store.begin(attempt(), 1);
    finish(&mut store, "program".into());
    assert_eq!(store.notes.len(), 1, "{:?}", store.notes);
    assert_eq!(fs::read_to_string(profile_path(folder.path())).unwrap(), newer);
}
