//! Shares of time, and what becomes of a plan by them.

use super::super::pressure::tests::{BIG, BORNE, SMALL, two, verdict};
use super::*;
use crate::inventory::Pressure;
use crate::rollout::{Journal, Phase};

/// Of ten seconds and of a minute, in percent; `None` where it is not known.
type Share = Option<(u32, u32)>;

const NONE: Share = Some((0, 0));

fn pressure(share: Share) -> Option<Pressure> {
    let of =
        |(ten, minute)| Pressure { last_10s_permille: ten * PERCENT, last_60s_permille: minute * PERCENT };
    share.map(of)
}

/// What comes of a plan while a pod waits like this: before the wave, which is look 0, and from a look until another; what is
/// said on the way, if anything is.
fn check(
    sizes: [[&str; 2]; 2],
    pod: &str,
    (before, looks, after): (Share, std::ops::Range<i64>, Share),
    expect: &str,
    says: &str,
) {
    let key = ("shop".to_string(), pod.to_string());
    let stall = |seen: &mut Inventory, look: i64| {
        let share = if looks.contains(&look) { after } else { before };
        seen.pods.get_mut(&key).expect("it is there").containers[0].pressure = pressure(share);
    };
    let (found, said) = verdict(two(sizes[0], sizes[1]), &stall);
    let at = format!("{pod} {before:?} {looks:?} {after:?}: {said:#?}");
    assert_eq!(found, expect, "{at}");
    assert!(said.iter().any(|why| why.contains(says)), "{at}");
    let is_said = said.iter().any(|why| why.contains("waits for memory"));
    assert_eq!(is_said, !says.is_empty(), "{at}");
}

#[test]
fn what_waits_for_memory_much_more_than_before_is_taken_back() {
    let waits = |now: &str, before: &str| {
        format!(
            "pod a-1 of shop/Deployment/a: container app waits for memory {now} of the time, {before} before the wave"
        )
    };
    let check = |shares, is_back: bool, says: &str| {
        let expect = if is_back { format!("roll back: {says}") } else { BORNE.to_string() };
        check([BIG, SMALL], "a-1", shares, &expect, says);
    };
    check((NONE, 3..100, Some((30, 20))), true, &waits("30.0 %", "0.0 %"));
    check((Some((2, 4)), 3..100, Some((15, 14))), true, &waits("15.0 %", "4.0 %"));
    // Ten more of a hundred it has to be, and for longer than a moment: until then nobody goes on.
    check((Some((2, 4)), 3..100, Some((13, 13))), false, "");
    check((NONE, 3..8, Some((30, 5))), false, &waits("30.0 %", "0.0 %"));
    check((NONE, 3..5, Some((30, 20))), false, &waits("30.0 %", "0.0 %"));
    // Where nobody knows how it was only what is bad by nature counts, and what is not known is not bad.
    check((None, 3..100, Some((30, 30))), false, "");
    check((None, 3..100, Some((45, 42))), true, &waits("45.0 %", "and nobody knows how it was"));
    check((NONE, 3..100, None), false, "");
}

#[test]
fn only_what_got_less_is_answered_for() {
    let bad = (NONE, 3..100, Some((90, 90)));
    check([SMALL, BIG], "a-1", bad.clone(), BORNE, "");
    // As much as before, with less requested.
    check([BIG, ["256Mi", "1Gi"]], "a-1", bad.clone(), BORNE, "");
    // Of a later wave.
    check([BIG, SMALL], "b-1", bad, BORNE, "");
}

#[test]
fn nothing_gets_less_while_it_waits_for_memory() {
    let check = |shares, expect: &str, says: &str| check([BIG, SMALL], "a-1", shares, expect, says);
    let first = "wave 1 of 2: new pods of shop/Deployment/a: pod a-1: container app waits for memory 20.0 % of the time (and 1 more)";
    check((NONE, 0..10, Some((1, 20))), BORNE, first);
    let late = first.replacen(':', " takes longer than patience lasts:", 1);
    check((NONE, 1..100, Some((20, 20))), &format!("roll back: {late}"), first);
    check((NONE, 0..100, Some((4, 4))), BORNE, "");
}

#[test]
fn a_container_that_came_since_did_not_wait_before() {
    let check = |uid: &str, is_back: bool| {
        let stall = |seen: &mut Inventory, look: i64| {
            let pod = seen.pods.get_mut(&("shop".into(), "a-1".into())).expect("it is there");
            pod.containers[0].pressure = pressure(Some(if look < 3 { (4, 4) } else { (12, 12) }));
            pod.uid = if look < 3 { "a-1".into() } else { uid.into() };
        };
        let (found, said) = verdict(two(BIG, SMALL), &stall);
        assert_eq!(found.contains("12.0 % of the time, 0.0 % before"), is_back, "{found} {said:#?}");
    };
    check("a-1", false);
    check("another", true);
}

#[test]
fn what_is_borne_a_little_more_each_wave_is_held_to_the_first() {
    let stalls = |all: &[(&str, u32)]| Stalls {
        permille: all.iter().map(|(key, permille)| (key.to_string(), *permille)).collect(),
        unknown: BTreeSet::from(["unknown".to_string()]),
    };
    let earlier = stalls(&[("a", 20), ("b", 50)]);
    let now = stalls(&[("a", 90), ("b", 30), ("new", 40), ("unknown", 60)]);
    assert_eq!(now.after(&earlier), stalls(&[("a", 20), ("b", 30), ("unknown", 60)]));
}

#[test]
fn a_journal_of_before_is_read() {
    let (plan, mut seen) = two(BIG, SMALL);
    let pod = seen.pods.get_mut(&("shop".into(), "a-1".into())).expect("it is there");
    pod.containers[0].pressure = pressure(Some((7, 6)));
    let journal = Journal::begin(plan, &seen, seen.as_of_ms);
    let mut text = serde_json::to_value(&journal).expect("a journal");
    assert_eq!(serde_json::from_value::<Journal>(text.clone()).expect("a journal"), journal);
    assert_eq!(text["phase"]["baseline"]["stalls"]["permille"]["a-1/app"], 70);
    let phase = text["phase"].as_object_mut().expect("a phase");
    assert!(phase.remove("stalled_ms").is_some());
    assert!(phase["baseline"].as_object_mut().expect("a baseline").remove("stalls").is_some());
    let read = serde_json::from_value::<Journal>(text).expect("a journal");
    let Phase::Applying { baseline, .. } = read.phase else { panic!("it applies") };
    assert_eq!(baseline.stalls, None);
}
