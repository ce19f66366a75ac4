//! Chaos: whatever happens while a plan is carried out, it ends applied or rolled back, never in between, and never over somebody
//! else's change. The built binary on a real API server; kubelets are played by kwok.
//!
//! `PLIMSOLL_CHAOS=all` does all that there is, in a quarter of an hour; without it a part is done, each day another.

#[path = "../common/mod.rs"]
mod common;
mod middle;
mod part;
mod shop;
mod walk;
mod weather;

use shop::Shop;
use walk::{Moment, walk, walk_back};

#[test]
fn killed_in_place_before_a_step() {
    walk("place-before", "in-place", Moment::Before, 0);
}

#[test]
fn killed_in_place_after_a_step() {
    walk("place-after", "in-place", Moment::After, 3);
}

#[test]
fn killed_in_a_rollout_before_a_step() {
    walk("rollout-before", "rollout", Moment::Before, 5);
}

#[test]
fn killed_in_a_rollout_after_a_step() {
    walk("rollout-after", "rollout", Moment::After, 8);
}

#[test]
fn a_rollback_killed_before_a_step() {
    walk_back("back-place", "in-place", Moment::Before, 2);
}

#[test]
fn a_rollback_killed_after_a_step() {
    walk_back("back-rollout", "rollout", Moment::After, 7);
}

#[test]
fn in_bad_weather_in_place() {
    weather::all("weather-place", "in-place", 0);
}

#[test]
fn in_bad_weather_in_a_rollout() {
    weather::all("weather-rollout", "rollout", 3);
}

#[test]
fn what_happens_in_the_middle() {
    let mut shop = Shop::open("middle");
    for way in ["in-place", "rollout"] {
        middle::a_pod_dies_of_memory(&shop, way);
        middle::a_pod_is_evicted(&shop, way);
        middle::somebody_deploys(&mut shop, way);
    }
    middle::a_node_runs_short_of_memory(&shop);
    middle::a_node_is_short_of_memory_for_a_moment(&shop);
}
