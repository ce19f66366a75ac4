//! What becomes of workloads under a policy.

use super::*;
use crate::plan::fixtures::by_memory;
use proptest::prelude::*;

/// Half an hour of flat use is enough to know it.
pub fn settled(mode: Mode) -> World {
    let mut world = World::new(mode);
    world.deploy("web", 3, &sizes(512, 1024));
    world.use_of("web", 100);
    world.minutes(40);
    world
}

#[test]
fn what_is_flat_gets_little_more_than_it_uses_and_its_template_stays() {
    let world = settled(Mode::Auto);
    let limits = world.limits("web");
    assert!(limits.iter().all(|limit| (110..=160).contains(limit)), "{limits:?}");
    assert_eq!(world.limit_on_admission("web"), Some(limits[0]));
    assert_eq!(world.seen.workloads[&id("web")].containers[0].sizes, sizes(512, 1024));
    assert!(world.said("MemoryResized app 512Mi/1Gi -> "), "{:?}", world.said);
    let status = world.status();
    assert_eq!((status.workloads, status.sized, status.learning), (1, 1, 0));
    assert!(status.requested_bytes * 3 < status.template_bytes, "{status:?}");
}

#[test]
fn modes_do_what_they_say() {
    let check = |mode, touches_pods: bool, touches_new: bool| {
        let world = settled(mode);
        assert_eq!(world.limits("web") != [1024; 3], touches_pods, "{mode:?}");
        assert_eq!(world.limit_on_admission("web").is_some(), touches_new, "{mode:?}");
        let wanted = world.controller.wanted(&container_id("web")).expect("a size").limit_bytes / MIB;
        assert!((110..=160).contains(&wanted), "{mode:?}: {wanted}");
    };
    check(Mode::Auto, true, true);
    check(Mode::Initial, false, true);
    check(Mode::Recommend, false, false);
    check(Mode::Off, false, false);
}

#[test]
fn a_policy_that_is_gone_leaves_everything_as_it_was() {
    for how in [None, Some(Mode::Off), Some(Mode::Recommend)] {
        let mut world = settled(Mode::Auto);
        world.policies = how.map(policy).into_iter().collect();
        world.minutes(5);
        assert_eq!(world.limits("web"), [1024; 3], "{how:?}");
        assert_eq!(world.limit_on_admission("web"), None, "{how:?}");
        assert!(world.said("MemoryTakenBack"), "{:?}", world.said);
    }
}

#[test]
fn growth_comes_before_it_is_needed() {
    let mut world = settled(Mode::Auto);
    for used in (100..400).step_by(5) {
        world.use_of("web", used);
        world.minutes(5);
        assert!(world.limits("web").iter().all(|limit| *limit >= used), "{used}: {:?}", world.limits("web"));
    }
    assert!(!world.said("OutOfMemory"), "{:?}", world.said);
}

#[test]
fn a_kill_raises_at_once_and_is_remembered() {
    let mut world = settled(Mode::Auto);
    let before = world.limits("web")[0];
    let pod = world.seen.pods.values_mut().next().expect("a pod");
    killed(pod, 1);
    pod.is_ready = false;
    world.seen.workloads.get_mut(&id("web")).expect("it").is_settled = false;
    (0..3).for_each(|_| drop(world.tick()));
    let raised = world.limits("web");
    assert!(raised.iter().all(|limit| *limit > before + before / 10), "{before}: {raised:?}");
    assert!(world.said("OutOfMemory container app of pod web-0 was killed"), "{:?}", world.said);
    let pod = world.seen.pods.values_mut().next().expect("a pod");
    pod.is_ready = true;
    world.seen.workloads.get_mut(&id("web")).expect("it").is_settled = true;
    world.minutes(24 * 60);
    assert!(world.limits("web").iter().all(|limit| *limit > before), "forgotten after a day");
}

#[test]
fn a_restart_resumes() {
    let mut world = settled(Mode::Auto);
    let stored = serde_json::to_string(&world.controller).expect("a text");
    world.controller = serde_json::from_str(&stored).expect("what it was");
    let limits = world.limits("web");
    world.minutes(30);
    assert_eq!(world.limits("web"), limits);
}

#[test]
fn sizes_stay_within_their_bounds() {
    let check = |bound, expect| {
        let mut world = World::new(Mode::Auto);
        world.policies[0].bounds = vec![bound];
        world.deploy("web", 1, &sizes(512, 1024));
        world.use_of("web", 100);
        world.minutes(40);
        assert_eq!(world.limits("web"), [expect]);
    };
    check(bound(Some(300), None), 300);
    check(bound(Some(300), Some(400)), 300);
}

#[test]
fn nothing_shrinks_while_the_schedule_is_closed() {
    let mut world = World::new(Mode::Auto);
    world.policies[0].is_open = false;
    world.deploy("web", 1, &sizes(512, 1024));
    world.deploy("tight", 1, &sizes(110, 110));
    world.use_of("web", 100);
    world.use_of("tight", 109);
    world.minutes(40);
    assert_eq!(world.limits("web"), [1024]);
    assert!(world.limits("tight")[0] > 110, "{:?}", world.limits("tight"));
}

#[test]
fn what_is_excluded_or_somebody_else_s_is_left_alone() {
    let mut world = World::new(Mode::Auto);
    world.policies[0].excluded_workloads = vec!["mine".into()];
    world.deploy("mine", 1, &sizes(512, 1024));
    world.deploy("scaled", 1, &sizes(512, 1024));
    let hands = &mut world.seen.workloads.get_mut(&id("scaled")).expect("it").hands;
    hands.push(by_memory("by-memory", 80));
    world.use_of("mine", 100);
    world.use_of("scaled", 500);
    world.minutes(40);
    assert_eq!((world.limits("mine"), world.limits("scaled")), (vec![1024], vec![1024]));
    let status = world.status();
    assert_eq!((status.workloads, status.left_alone_count), (1, 1));
    for words in ["'by-memory'", "goes to its most, 10 pods", "less than 500 MiB", "the target is 410 MiB"] {
        assert!(status.left_alone[0].1.contains(words), "{words}: {status:?}");
    }
}

#[test]
fn of_two_policies_the_older_governs() {
    let mut world = World::new(Mode::Auto);
    let younger = Policy { name: "other".into(), made_ms: 5, ..policy(Mode::Off) };
    world.policies.insert(0, younger);
    world.deploy("web", 1, &sizes(512, 1024));
    world.use_of("web", 100);
    world.minutes(40);
    assert!(world.limits("web")[0] < 200);
    let status = world.status();
    assert_eq!((status.workloads, status.contested), (0, 1));
}

#[test]
fn what_is_not_borne_is_taken_back_and_left_alone_for_a_while() {
    let mut world = World::new(Mode::Auto);
    world.deploy("web", 1, &sizes(512, 1024));
    world.use_of("web", 100);
    while world.limits("web") == [1024] {
        drop(world.tick());
    }
    // It falls over as soon as it is smaller, for whatever reason.
    let pod = world.seen.pods.values_mut().next().expect("a pod");
    (pod.containers[0].restarts, pod.is_ready) = (1, false);
    world.minutes(2);
    assert_eq!(world.limits("web"), [1024]);
    world.seen.pods.values_mut().next().expect("a pod").is_ready = true;
    world.minutes(5);
    assert_eq!(world.limits("web"), [1024]);
    assert_eq!(world.status().left_alone_count, 1);
    world.minutes(15);
    assert!(world.limits("web")[0] < 200, "{:?}", world.limits("web"));
}

#[test]
fn a_new_template_is_the_new_beginning() {
    let mut world = settled(Mode::Auto);
    let workload = world.seen.workloads.get_mut(&id("web")).expect("it");
    (workload.generation, workload.containers[0].sizes) = (2, sizes(600, 2048));
    world.seen.admitted.get_mut(&id("web")).expect("it").is_in_force = false;
    // The admission policy lets pods of another template in as they are.
    let ours = world.seen.sized_on_admission.remove(&id("web")).expect("ours");
    (0..3).for_each(|number| world.start("web", &format!("web-{number}")));
    world.seen.sized_on_admission.insert(id("web"), ours);
    world.use_of("web", 150);
    world.minutes(40);
    assert!(world.limits("web").iter().all(|limit| (165..=260).contains(limit)), "{:?}", world.limits("web"));
    world.policies.clear();
    world.minutes(5);
    assert_eq!(world.limits("web"), [2048; 3]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever use does, a limit is never set below it, a template never touched, and all goes back.
    #[test]
    fn any_use_is_borne(use_mib in prop::collection::vec(20u64..900, 10..60)) {
        let mut world = World::new(Mode::Auto);
        world.deploy("web", 2, &sizes(512, 1024));
        for used in use_mib {
            world.use_of("web", used);
            world.minutes(3);
        }
        world.policies.clear();
        world.minutes(10);
        prop_assert_eq!(world.limits("web"), vec![1024, 1024]);
        prop_assert_eq!(world.limit_on_admission("web"), None);
    }
}

/// A change is under way from one of our sizes to another, and use leaves no room for the first: it is the template's turn.
#[test]
fn what_is_under_way_goes_back_to_the_template() {
    let mut world = settled(Mode::Auto);
    let before = world.limits("web")[0];
    world.use_of("web", before);
    while world.limits("web") == [before; 3] {
        drop(world.tick());
    }
    assert_eq!(world.status().changing, 1);
    world.policies.clear();
    world.minutes(3);
    assert_eq!((world.limits("web"), world.limit_on_admission("web")), (vec![1024; 3], None));
}
