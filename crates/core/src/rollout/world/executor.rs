//! Who carries out: it dies between any two of its actions, and begins again from what is stored.

use super::*;
use crate::inventory::ResizeState;
use crate::rollout::sizes::alike;
use crate::rollout::{Order, Step, step};
use std::collections::VecDeque;

#[derive(Debug, Default)]
pub struct Executor {
    /// What survives it,
    pub stored: Option<Journal>,
    /// and what was there before that.
    earlier: Option<Journal>,
    /// When it last looked.
    pub seen_tick: u64,
    at: At,
    /// It reads what was stored before the last, once.
    is_stale: bool,
}

#[derive(Debug, Default)]
enum At {
    #[default]
    Start,
    Seen(Box<Inventory>),
    Decided(Box<Step>),
    Carrying(VecDeque<Order>),
    Waiting(u64),
}

impl Executor {
    /// As much as it comes to in a tick.
    pub fn act(&mut self, world: &mut World) {
        while world.chance.happens(750) {
            let is_shaky = !world.is_calm();
            if is_shaky && world.chance.happens(15) {
                self.at = At::Start;
                self.is_stale = world.chance.happens(200);
                world.say("who carries out dies".to_string());
                return;
            }
            let fails = is_shaky && world.chance.happens(60);
            self.at = match std::mem::take(&mut self.at) {
                At::Start if fails => At::Start,
                At::Start => {
                    self.seen_tick = world.tick;
                    At::Seen(Box::new(world.observe()))
                }
                At::Seen(seen) => At::Decided(Box::new(self.decide(world, &seen))),
                At::Decided(_) if fails => At::Start,
                At::Decided(decided) => self.store(*decided),
                At::Carrying(mut orders) => match orders.pop_front() {
                    Some(order) => {
                        if !fails {
                            world.seen_tick = self.seen_tick;
                            world.carry_out(order);
                        }
                        At::Carrying(orders)
                    }
                    None => At::Waiting(world.chance.below(3)),
                },
                At::Waiting(0) => At::Start,
                At::Waiting(ticks) => {
                    self.at = At::Waiting(ticks - 1);
                    return;
                }
            };
            if self.stored.as_ref().is_some_and(Journal::is_over) {
                return;
            }
        }
    }

    fn decide(&mut self, world: &mut World, seen: &Inventory) -> Step {
        let earlier = self.earlier.clone().filter(|_| self.is_stale);
        let first = || Journal::begin(world.plan.clone(), seen, world.now_ms());
        let journal = earlier.or_else(|| self.stored.clone()).unwrap_or_else(first);
        world.was_stale |= self.is_stale;
        self.is_stale = false;
        let decided = step(&journal, seen, world.now_ms());
        world.check_step(&journal, seen, &decided);
        world.say(format!("{:?} {:?}", decided.verdict, decided.progress));
        decided
    }

    fn store(&mut self, decided: Step) -> At {
        self.earlier = self.stored.replace(decided.journal);
        At::Carrying(decided.orders.into())
    }
}

impl World {
    /// The API server's side of an order.
    fn carry_out(&mut self, order: Order) {
        self.say(format!("{order:?}"));
        match order {
            Order::SizeNewPods { workload, containers } => {
                self.objects.insert(workload, containers);
            }
            Order::LeaveNewPods { workload } => {
                self.objects.remove(&workload);
            }
            Order::ResizePod { pod, uid, from, containers, .. } => self.resize(&pod, &uid, &from, containers),
            Order::SetTemplate { workload, uid, generation, containers } => {
                self.set_template(&workload, &uid, generation, &containers);
            }
        }
    }

    fn resize(&mut self, name: &str, uid: &str, from: &[(String, Sizes)], containers: Vec<(String, Sizes)>) {
        let seen_tick = self.seen_tick;
        let look_tick = self.tick + self.chance.between(0, 4);
        let Some(pod) = self.pods.get_mut(name).filter(|pod| pod.uid == uid) else { return };
        let is = |(name, sizes): &(String, Sizes)| {
            pod.containers.iter().any(|running| running.name == *name && alike(&running.desired, sizes))
        };
        if !from.iter().all(is) {
            return;
        }
        let is_theirs = pod.theirs.is_some();
        for (name, sizes) in containers {
            if let Some(running) = pod.containers.iter_mut().find(|running| running.name == name) {
                running.desired = sizes;
            }
        }
        // Until its kubelet looks its status says what it said of the last.
        let is_told = pod.resize.as_ref().is_some_and(|it| !matches!(it.state, ResizeState::Held { .. }));
        if !is_told {
            let message = "not seen by the kubelet yet".to_string();
            pod.resize = Some(Resize { state: ResizeState::InProgress, message });
        }
        (pod.look_tick, pod.has_waited) = (look_tick, false);
        // It was to be called off, but its kubelet was through before that.
        pod.is_crossed = pod.through_tick >= seen_tick;
        if is_theirs {
            self.fail(&format!("{name} was somebody else's"));
        }
        self.check_in_flight();
    }

    fn set_template(&mut self, id: &WorkloadId, uid: &str, generation: i64, containers: &[(String, Sizes)]) {
        let found = self.sites.iter_mut().find(|site| site.inventory.id == *id);
        let workload =
            |site: &&mut Site| site.inventory.uid == uid && site.inventory.generation == generation;
        let Some(site) = found.filter(workload) else { return };
        let before = site.inventory.containers.clone();
        for (name, sizes) in containers {
            if let Some(container) = site.inventory.containers.iter_mut().find(|it| it.name == *name) {
                container.sizes = sizes.clone();
            }
        }
        if site.inventory.containers != before {
            site.inventory.generation += 1;
            site.revision += 1;
            if site.theirs.is_some() {
                self.fail(&format!("the sizes of {id} were somebody else's"));
            }
        }
    }
}
