//! Whatever stands between us and the API server: what was begun ends applied, and is taken back when somebody asks.

use crate::part;
use crate::shop::{ROLLED_BACK, Shop};
use plimsoll_real::cluster::{Fate, Request};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Seconds that an apply or a rollback may take in any weather.
const WITHIN: Duration = Duration::from_secs(240);

/// What may go wrong.
const KINDS: [&str; 6] = ["429", "500", "409", "410", "cut", "restart"];

/// One kind of it after the other.
pub fn all(name: &str, way: &str, turn: usize) {
    let shop = Shop::open(name);
    part::of(&KINDS, KINDS.len(), turn).into_iter().for_each(|kind| there_and_back(&shop, kind, way));
}

/// Applies a plan and takes it back, while everything is this bad.
fn there_and_back(shop: &Shop, kind: &'static str, way: &str) {
    let plan = shop.plan(way);
    let started = Instant::now();
    // Weather is no reason to take anything back.
    through(shop, kind, &["apply", &plan.path, "--yes"]);
    shop.assert_applied(&plan, way);
    let applied = started.elapsed();
    through(shop, kind, &["rollback", &plan.id, "--yes"]);
    assert_eq!(shop.outcome(&plan.id).as_deref(), Some(ROLLED_BACK));
    shop.assert_as_before();
    eprintln!("{way}, {kind}: applied after {applied:?}, rolled back after {:?}", started.elapsed());
}

/// Runs it in this weather; it has to end well.
fn through(shop: &Shop, kind: &'static str, args: &[&str]) {
    let number = AtomicU64::new(0);
    let faults = shop.cluster.faults("weather", move |request| fate(kind, request, &number));
    let started = Instant::now();
    let (out, err) = (shop.log("out"), shop.log("err"));
    let mut command = shop.command(&faults.kubeconfig, args);
    let mut child = command.stdout(out).stderr(err).spawn().expect("plimsoll starts");
    let mut restarts = 0;
    loop {
        if let Some(status) = child.try_wait().expect("a state") {
            assert!(status.success(), "{kind}, {args:?}: {status:?}: {}", shop.logged());
            return;
        }
        let elapsed = started.elapsed();
        if elapsed > WITHIN {
            let _ = child.kill();
            panic!("{kind}, {args:?} is not over after {WITHIN:?}: {}", shop.logged());
        }
        if kind == "restart" && restarts < 2 && elapsed > Duration::from_secs(2 + 6 * restarts) {
            shop.cluster.restart_apiserver();
            restarts += 1;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A third of the requests fail, every other one of these after it was done.
fn fate(kind: &str, request: &Request, number: &AtomicU64) -> Fate {
    let drawn = mixed(number.fetch_add(1, Ordering::Relaxed));
    let (fails, is_done) = (drawn.is_multiple_of(3), (drawn >> 32).is_multiple_of(2));
    match kind {
        "429" if fails => Fate::Refused(429),
        "500" if fails && is_done && !request.is_watch() => Fate::DoneAndRefused(500),
        "500" if fails => Fate::Refused(500),
        "409" if fails && request.method != "GET" && is_done => Fate::DoneAndRefused(409),
        "409" if fails && request.method != "GET" => Fate::Refused(409),
        "410" if request.is_watch() => Fate::Refused(410),
        "cut" if request.is_watch() => Fate::CutAfter(Duration::from_secs(1)),
        _ => Fate::Forwarded,
    }
}

/// SplitMix64.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
