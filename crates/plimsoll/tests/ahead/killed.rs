//! Each step is recorded once and in order, whatever is killed when.

use crate::served::Served;
use crate::town::{Shop, cluster, comes_to, reserve, timeline};
use plimsoll_capacity::Database;
use plimsoll_real::cluster::Fate;
use plimsoll_real::postgres::Postgres;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, mpsc};

/// Longer than it takes another replica to see that one is dead, so that nothing is too late.
const SECONDS: i64 = 24;
const STEPS: [&str; 7] = ["compute", "scale", "ready", "health", "start", "end", "scale_down"];

/// The API takes whole minutes: it ends so many seconds after its start instead.
fn end_after(store: &str, id: &str, seconds: i64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let database = Database::open(store).await.expect("the store");
        let mut change = database.change().await.expect("a change");
        let mut it = change.reservation(id).await.expect("an answer").expect("it is there");
        it.span.end_ms = it.span.start_ms + seconds * 1_000;
        change.put(&it);
        change.commit().await.expect("a commit");
        database.close().await;
    });
}

/// Each step was settled once, in order, and told as an event.
fn is_told_once(served: &Served, id: &str) {
    let settled = |outcome: &Value| outcome == "done" || outcome == "skipped";
    let told: Vec<(String, Value)> = served
        .events_so_far()
        .into_iter()
        .filter(|(_, event)| event["subject"] == id && settled(&event["about"]["outcome"]))
        .map(|(_, event)| {
            (event["about"]["step"].as_str().unwrap_or_default().to_string(), event["about"].clone())
        })
        .collect();
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, STEPS, "{told:?}");
    let log = served.get("/api/capacity/scaling").body["log"].clone();
    let of_it = log.as_array().into_iter().flatten().filter(|one| one["reservation_id"] == id);
    let settled: Vec<&Value> = of_it.filter(|one| settled(&one["outcome"])).map(|one| &one["step"]).collect();
    assert!(settled.iter().rev().eq(STEPS.iter()), "{log}");
    for (step, state, detail) in timeline(served, id) {
        assert_eq!(state, "done", "{step}: {detail}");
    }
}

fn replicas(shop: &Shop) -> Value {
    shop.object("apps/v1/statefulsets/backend")["spec"]["replicas"].clone()
}

fn gives_back(shop: &Shop, served: &Served, id: &str) {
    let said = comes_to(served, id, "scale_down", "done");
    assert_eq!(said, format!("statefulset {}/backend went from 3 to 1", shop.name));
    assert_eq!(replicas(shop), json!(1));
}

const AHEAD: &str = "dry_run: false, statefulset: ";

#[test]
fn killed_between_setting_and_recording() {
    let shop = Shop::open("once", "statefulsets", &format!("{AHEAD}once/backend"));
    let pid = Arc::new(AtomicI32::new(0));
    let (is_killed, killed) = mpsc::channel();
    let victim = pid.clone();
    let faults = cluster().faults("once", move |request| {
        if request.method != "PATCH" || !request.path.contains("/scale") {
            return Fate::Forwarded;
        }
        let (pid, is_killed) = (victim.load(Ordering::SeqCst), is_killed.clone());
        Fate::DoneAndLost(Box::new(move || {
            let pid = Pid::from_raw(pid).expect("a process");
            let _ = kill_process(pid, Signal::KILL);
            let _ = is_killed.send(());
        }))
    });
    let mut first = shop.serve(&shop.sqlite(), &faults.kubeconfig);
    pid.store(first.pid().as_raw_nonzero().get(), Ordering::SeqCst);
    let id = reserve(&first, 10, json!({}));
    end_after(&shop.sqlite(), &id, SECONDS);
    killed.recv_timeout(std::time::Duration::from_secs(30)).expect("it is killed");
    first.kill();
    assert_eq!(replicas(&shop), json!(3), "the cluster has it");
    let second = shop.serve(&shop.sqlite(), &cluster().kubeconfig);
    let before = timeline(&second, &id);
    assert_eq!(before[1].1, "pending", "and nobody has recorded it: {before:?}");
    gives_back(&shop, &second, &id);
    is_told_once(&second, &id);
    let scaled = timeline(&second, &id).remove(1).2;
    assert_eq!(scaled, "statefulset once/backend is at 3", "it was not set again");
}

#[test]
fn of_two_replicas_one_acts_until_it_dies() {
    let shop = Shop::open("twice", "statefulsets", &format!("{AHEAD}twice/backend"));
    let postgres = Postgres::start();
    let start = || shop.serve(&postgres.url, &cluster().kubeconfig);
    let mut one = start();
    let id = reserve(&one, 10, json!({}));
    end_after(&postgres.url, &id, SECONDS);
    // It has its turn, and keeps it until it dies.
    comes_to(&one, &id, "compute", "done");
    let other = start();
    comes_to(&other, &id, "scale", "done");
    assert_eq!(replicas(&shop), json!(3));
    one.kill();
    gives_back(&shop, &other, &id);
    is_told_once(&other, &id);
}
