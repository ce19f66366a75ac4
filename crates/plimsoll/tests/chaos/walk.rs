//! kill -9 at every step: each request that changes something is one, before the server has it and after.

use crate::part;
use crate::shop::{ROLLED_BACK, ROLLING_BACK, Saved, Shop, said};
use plimsoll_real::cluster::Fate;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// When it is killed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Moment {
    /// Before the server has the request.
    Before,
    /// Once it is done, and not answered.
    After,
}

/// An apply in place has so many; a part is one among them.
const STEPS: usize = 20;
/// There are fewer steps than this.
const STEPS_MAX: usize = 200;

/// Kills `plimsoll apply` at its steps. Whatever the step, it goes on to the end when it is called again, or a rollback puts
/// everything back, in turns.
pub fn walk(name: &str, way: &str, moment: Moment, turn: usize) {
    let shop = Shop::open(name);
    let steps: Vec<usize> = (1..STEPS_MAX).collect();
    let (mut applied, mut rolled_back, mut never_begun, mut has_ended) = (0, 0, 0, false);
    for step in part::of(&steps, STEPS, turn) {
        let plan = shop.plan(way);
        if !killed_at(&shop, &["apply", &plan.path, "--yes"], step, moment) {
            shop.assert_applied(&plan, way);
            rolled_back_from(&shop, &plan);
            has_ended = true;
            break;
        }
        shop.forget_lease();
        if (step + part::day()).is_multiple_of(2) {
            said(&shop.plimsoll(&["apply", &plan.path, "--yes"]));
            shop.assert_applied(&plan, way);
            applied += 1;
            rolled_back_from(&shop, &plan);
        } else if shop.outcome(&plan.id).is_some() {
            rolled_back_from(&shop, &plan);
            rolled_back += 1;
        } else {
            never_begun += 1;
        }
        shop.assert_as_before();
    }
    assert!(has_ended || !part::is_whole(), "it takes more than {STEPS_MAX} steps");
    eprintln!(
        "{way}, killed {moment:?}: {applied} applied, {rolled_back} rolled back, {never_begun} never begun"
    );
}

/// Kills `plimsoll rollback` at its steps. When it is called again it ends; so does an apply of the plan, the same way.
pub fn walk_back(name: &str, way: &str, moment: Moment, turn: usize) {
    let shop = Shop::open(name);
    let steps: Vec<usize> = (1..STEPS_MAX).collect();
    for (walked, step) in part::of(&steps, STEPS, turn).into_iter().enumerate() {
        let plan = shop.plan(way);
        let apply = ["apply", &plan.path, "--yes"];
        said(&shop.plimsoll(&apply));
        if !killed_at(&shop, &["rollback", &plan.id, "--yes"], step, moment) {
            shop.assert_as_before();
            eprintln!("{way}, rollback killed {moment:?}: {walked} rolled back");
            return;
        }
        shop.forget_lease();
        if shop.outcome(&plan.id).as_deref() == Some(ROLLING_BACK) && (step + part::day()).is_multiple_of(2) {
            assert_eq!(shop.plimsoll(&apply).status.code(), Some(3));
            shop.assert_as_before();
        } else {
            rolled_back_from(&shop, &plan);
        }
    }
    assert!(!part::is_whole(), "it takes more than {STEPS_MAX} steps");
}

fn rolled_back_from(shop: &Shop, plan: &Saved) {
    said(&shop.plimsoll(&["rollback", &plan.id, "--yes"]));
    assert_eq!(shop.outcome(&plan.id).as_deref(), Some(ROLLED_BACK));
    shop.assert_as_before();
}

/// Whether it came so far; else it has ended by itself, and well.
fn killed_at(shop: &Shop, args: &[&str], step: usize, moment: Moment) -> bool {
    let child: Arc<Mutex<Option<Child>>> = Arc::default();
    let kill = {
        let child = child.clone();
        move || {
            let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
            child.as_mut().expect("it asks, so it runs").kill().expect("killed");
        }
    };
    let steps = AtomicUsize::new(0);
    let faults = shop.cluster.faults("walk", move |request| {
        if !request.is_change() || steps.fetch_add(1, Ordering::Relaxed) + 1 != step {
            return Fate::Forwarded;
        }
        match moment {
            Moment::After => Fate::DoneAndLost(Box::new(kill.clone())),
            Moment::Before => {
                kill();
                Fate::Lost
            }
        }
    });
    let mut command = shop.command(&faults.kubeconfig, args);
    {
        // The first request waits for this.
        let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
        *child = Some(command.stdout(Stdio::null()).spawn().expect("plimsoll starts"));
    }
    loop {
        let ended = child.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(Child::try_wait);
        match ended.expect("it was started").expect("a state") {
            None => std::thread::sleep(Duration::from_millis(20)),
            Some(status) if status.success() => return false,
            Some(status) => {
                assert_eq!(status.code(), None, "it was killed, or has ended well: {status:?}");
                return true;
            }
        }
    }
}
