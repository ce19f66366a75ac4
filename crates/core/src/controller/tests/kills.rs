//! What becomes of kills for want of memory.

use super::life::settled;
use super::*;

/// The lower bound that is remembered of a container, in MiB.
fn floor(world: &World) -> u64 {
    world.controller.wanted(&container_id("web")).expect("a size").floor_bytes / MIB
}

#[test]
fn a_kill_counts_once_however_often_it_is_seen() {
    let mut world = settled(Mode::Auto);
    let before = world.limits("web")[0];
    for times in [1, 1, 2, 2, 2] {
        killed(world.pod("web"), times);
        world.minutes(2);
    }
    assert_eq!(world.times(Reason::OutOfMemory), 2, "{:?}", world.said);
    // Both of them are seen, one of them for the first time.
    let uid = world.pod("web").uid.clone();
    world.pod("web").containers[0].oom_kills = vec![format!("{uid}/2"), format!("{uid}/3")];
    world.minutes(6);
    assert_eq!(world.times(Reason::OutOfMemory), 3, "{:?}", world.said);
    // Of what passes that limit nothing is known here, so that each gives as much again.
    assert_eq!(floor(&world), before * 2 * 2 * 2);
}

#[test]
fn a_kill_in_a_held_pod_counts_at_the_limit_of_the_pod() {
    let mut world = settled(Mode::Auto);
    let before = world.limits("web")[0];
    killed(world.pod("web"), 1);
    world.minutes(2);
    let raised = world.limits("web")[0];
    let state = ResizeState::Held { limit_bytes: before * MIB };
    world.pod("web").resize = Some(Resize { state, message: String::new() });
    killed(world.pod("web"), 2);
    drop(world.tick());
    assert_eq!(world.times(Reason::OutOfMemory), 2);
    world.minutes(6);
    assert!(floor(&world) <= raised, "{before}, {raised}: {}", floor(&world));
}

#[test]
fn a_raise_that_is_not_enough_is_followed_by_a_higher_one_and_never_taken_back() {
    let mut world = settled(Mode::Auto);
    let mut limits = world.limits("web");
    // It dies at each limit, is down for long, and ends for other reasons too.
    for times in 1..8 {
        killed(world.pod("web"), times * 2);
        (world.pod("web").is_ready, world.pod("web").containers[0].is_running) = (false, false);
        (0..6).for_each(|_| drop(world.tick()));
        let raised = world.limits("web");
        assert!(raised.iter().zip(&limits).all(|(now, before)| now > before), "{limits:?}: {raised:?}");
        limits = raised;
        world.pod("web").containers[0].restarts += 1;
        world.minutes(3);
        assert_eq!(world.limits("web"), limits);
    }
    assert_eq!(world.times(Reason::TakenBack), 0, "{:?}", world.said);
}

#[test]
fn what_was_taken_back_may_only_be_raised_until_its_hold_is_over() {
    let mut world = World::new(Mode::Auto);
    world.deploy("web", 2, &sizes(512, 1024));
    world.use_of("web", 100);
    while world.limits("web") == [1024, 1024] {
        drop(world.tick());
    }
    world.pod("web").containers[0].restarts = 1;
    world.minutes(2);
    assert_eq!((world.limits("web"), world.times(Reason::TakenBack)), (vec![1024; 2], 1));
    world.use_of("web", 1025);
    world.use_of("web", 100);
    world.minutes(7);
    let raised = world.limits("web");
    assert!(raised.iter().all(|limit| *limit > 1024), "{raised:?}");
    assert_eq!(world.times(Reason::Resized), 1);
    world.minutes(20);
    assert_eq!(world.status().left_alone_count, 0);
}

#[test]
fn a_raise_waits_for_no_shrink_that_is_refused() {
    let mut world = World::new(Mode::Auto);
    world.deploy("web", 2, &sizes(512, 1024));
    world.use_of("web", 100);
    world.is_refused = true;
    while world.pod("web").resize.is_none() {
        drop(world.tick());
    }
    // It wants more than it ever had, while it still has all of that.
    let pods = world.seen.pods.values_mut();
    pods.for_each(|pod| killed(pod, 1));
    (0..3).for_each(|_| drop(world.tick()));
    let raised = world.limits("web");
    assert!(raised.iter().all(|limit| *limit > 1024), "{raised:?}");
    world.minutes(3);
    assert_eq!((world.limits("web"), world.times(Reason::TakenBack)), (raised, 0));
    assert!(world.seen.pods.values().all(|pod| pod.resize.is_none()));
}

#[test]
fn of_two_containers_one_gets_more_though_the_other_cannot_get_less() {
    let mut world = World::new(Mode::Auto);
    let all = [("app", sizes(100, 105)), ("proxy", sizes(512, 1024))];
    world.deploy_all("web", 2, &all);
    for pod in world.seen.pods.values_mut() {
        pod.containers.iter_mut().for_each(|running| running.used_bytes = Some(100 * MIB));
    }
    world.is_refused = true;
    world.minutes(60);
    assert!(world.limits("web").iter().all(|limit| *limit > 105), "{:?}", world.limits("web"));
    let proxies = |world: &World| -> Vec<Option<u64>> {
        let pods = world.seen.pods.values();
        pods.map(|pod| pod.containers[1].actual.as_ref().and_then(Sizes::limit_bytes)).collect()
    };
    assert_eq!(proxies(&world), vec![Some(1024 * MIB); 2]);
    world.is_refused = false;
    world.minutes(60);
    assert!(proxies(&world).iter().all(|limit| *limit < Some(200 * MIB)), "{:?}", proxies(&world));
}
