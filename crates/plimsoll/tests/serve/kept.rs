//! What is kept, when disks are full and while it is copied.

use crate::served::{Served, in_hours};
use crate::{Place, SCHEDULE, ten};
use plimsoll_real::postgres::Postgres;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Room for some hundreds of reservations.
const SMALL: &str = "size=1500k";
/// For many more.
const LARGE: &str = "size=16m";

/// A file system of its own; it goes with this.
struct Disk(PathBuf);

impl Disk {
    /// None where that is not allowed.
    fn mount(folder: &Path) -> Option<Disk> {
        std::fs::create_dir(folder).expect("a folder");
        mount(folder, SMALL).then(|| Disk(folder.to_path_buf()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(folder: &Path, options: &str) -> bool {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder);
    mount.output().is_ok_and(|output| output.status.success())
}

/// All that are listed, by id.
fn ids(served: &Served) -> Vec<String> {
    let (mut all, mut path) = (Vec::new(), format!("{SCHEDULE}?limit=500"));
    loop {
        let page = served.get(&path).body;
        let id = |one: &Value| one["id"].as_str().expect("an id").to_string();
        all.extend(page["reservations"].as_array().expect("a list").iter().map(id));
        let Some(next) = page["next"].as_str() else { return all };
        path = format!("{SCHEDULE}?limit=500&cursor={next}");
    }
}

/// One of many that all fit.
fn one(number: u64) -> Value {
    json!({"title": "a pilot", "start": in_hours(30 + 2 * (number % 900)), "duration_minutes": 30, "expected_participants": 1})
}

const MANY: &str = "capacity: {horizon_days: 200, regions: [{pods: 20, most_pods: 20}]}";

#[test]
fn what_was_promised_is_there_when_the_disk_is_full() {
    let place = Place::new(MANY);
    let folder = place.folder.path().join("disk");
    let Some(_disk) = Disk::mount(&folder) else {
        println!("skipped: a file system cannot be mounted here");
        return;
    };
    let store = format!("sqlite:{}", folder.join("capacity.db").display());
    let mut served = Served::start(&store, &place.config(), &[]);
    let mut promised = Vec::new();
    let full = (0..5_000).find_map(|number| {
        let answer = served.post(SCHEDULE, &one(number));
        if answer.status == 201 {
            promised.push(answer.body["reservation"]["id"].as_str().expect("an id").to_string());
        }
        (answer.status != 201).then_some(answer)
    });
    let full = full.expect("the disk is full some time");
    assert_eq!((full.status, &full.body["code"]), (507, &json!("storage-full")), "{full:?}");
    assert!(promised.len() > 20, "{}", promised.len());
    let is_kept = |served: &Served| {
        let listed = ids(served);
        promised.iter().all(|id| listed.contains(id))
    };
    // What is there is still answered, also after a death.
    assert!(is_kept(&served));
    assert_eq!(served.get("/api/capacity/status").status, 200);
    served.kill();
    let served = Served::start(&store, &place.config(), &[]);
    assert!(is_kept(&served));
    assert!(mount(&folder, &format!("remount,{LARGE}")));
    assert_eq!(served.post(SCHEDULE, &one(7)).status, 201);
    assert!(is_kept(&served));
}

#[test]
fn a_copy_is_made_while_it_is_served() {
    let place = Place::new(MANY);
    let served = place.serve(&[]);
    let promised: Vec<String> = (0..50)
        .map(|number| served.post(SCHEDULE, &one(number)).body["reservation"]["id"].to_string())
        .collect();
    let copy = place.folder.path().join("copy.db");
    let backup = |store: &str| {
        let mut command = Command::new(crate::common::PLIMSOLL);
        command.args(["capacity", "backup"]).arg(&copy).args(["--store", store]);
        command.current_dir(place.folder.path()).output().expect("plimsoll runs")
    };
    std::thread::scope(|scope| {
        let more = scope.spawn(|| (50..150).for_each(|it| drop(served.post(SCHEDULE, &one(it)))));
        let done = backup(&place.sqlite());
        assert!(done.status.success(), "{done:?}");
        more.join().expect("no panic");
    });
    let again = backup(&place.sqlite());
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && said.contains("copy.db") && said.contains('\n'), "{said}");
    let copied = Served::start(&format!("sqlite:{}", copy.display()), &place.config(), &[]);
    let listed = ids(&copied);
    assert!(promised.iter().all(|id| listed.contains(&id.trim_matches('"').to_string())), "{listed:?}");
    // What the copy says it knows is all it needs to go on.
    assert_eq!(copied.post(SCHEDULE, &ten(30)).status, 201);
}

#[test]
fn who_cannot_decide_is_not_ready_and_says_so() {
    let place = Place::new(MANY);
    let postgres = Postgres::start();
    let served = Served::start(&postgres.url, &place.config(), &[]);
    assert_eq!(served.post(SCHEDULE, &one(1)).status, 201);
    assert_eq!(served.get("/readyz").status, 200);
    drop(postgres);
    let ready = served.get("/readyz");
    assert_eq!((ready.status, &ready.body["code"]), (503, &json!("unavailable")), "{ready:?}");
    let asked = served.post(SCHEDULE, &one(2));
    assert_eq!((asked.status, &asked.body["code"]), (503, &json!("unavailable")), "{asked:?}");
    assert_eq!(served.get("/healthz").status, 200);
}
