//! What must hold in worlds of every seed, and the single cases behind it.

use super::world::{End, Nature, World, count_applied};

fn run(nature: Nature, seeds: std::ops::Range<u64>) -> Vec<End> {
    seeds.map(|seed| World::run(seed, nature)).collect()
}

#[test]
fn wild_worlds_end_applied_or_rolled_back() {
    let ends =
        run(Nature::Wild, 0..std::env::var("WORLDS").ok().and_then(|it| it.parse().ok()).unwrap_or(3_000));
    let applied = count_applied(&ends);
    let longest = ends.iter().map(|end| end.ticks).max().unwrap_or(0);
    eprintln!("{applied} of {} applied, longest {longest}", ends.len());
    // Neither is a rare case, or they prove nothing.
    assert!((ends.len() / 10..ends.len() * 9 / 10).contains(&applied), "{applied}");
}

#[test]
fn kind_worlds_end_applied() {
    let ends = run(Nature::Kind, 0..1_000);
    assert_eq!(count_applied(&ends), ends.len());
}

#[test]
fn a_seed_is_a_course() {
    for seed in 0..50 {
        let courses = [(); 2].map(|()| World::run(seed, Nature::Wild).course);
        assert_eq!(courses[0], courses[1], "seed {seed}");
    }
}

#[test]
#[ignore = "one seed, to look at"]
fn one() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    World::run(seed, Nature::Wild);
}
