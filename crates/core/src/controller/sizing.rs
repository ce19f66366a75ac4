//! Sizes that follow use: the rule of `backtest --resize-every`, fed as use is read.

use super::policy::Policy;
use crate::backtest::allowed;
use crate::inventory::WorkloadId;
use crate::rollout::with_margin;
use crate::size::{MIB, whole_mib};
use crate::sizing::plimsoll::evidence::{Seen, Tracker, Window, limit_bytes};
use crate::sizing::plimsoll::fleet::{Given, Risk};
use crate::sizing::plimsoll::live::{Live, Member};
use crate::sizing::plimsoll::{LOOKS, Looks, USUAL_MS};
use crate::sizing::{OomKill, Sample};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Kills that are remembered of a container.
const KILLS_MAX: usize = 8;
/// A container of a workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContainerId {
    /// Of which workload.
    pub workload: WorkloadId,
    /// What it is called.
    pub container: String,
}

/// What is known of the use of all containers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sizing {
    every_ms: i64,
    learn_ms: i64,
    /// A fleet for each risk that policies take.
    fleets: Vec<(Risk, Live)>,
    #[serde(with = "pairs")]
    subjects: BTreeMap<ContainerId, Subject>,
}

/// What is known of one container: of all pods that run it the one that uses most counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subject {
    risk: Risk,
    member: Member,
    tracker: Tracker,
    first_ms: i64,
    last: Sample,
    /// What the rule said last, in bytes.
    limit_now: Option<u64>,
    kills: Vec<OomKill>,
}

/// What a container should have.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The highest use of the look that the limit follows, in bytes.
    pub request_bytes: u64,
    /// In bytes.
    pub limit_bytes: u64,
    /// What the rule alone says, in bytes: without kills, bounds, and what can be set.
    pub rule_bytes: u64,
    /// The limit may not be below this, in bytes.
    pub floor_bytes: u64,
    /// Why.
    pub why: String,
}

/// Something that became known of a container, in the order of time: windows that are past before those that begin.
enum Event {
    Ended(Window),
    Began(i64),
}

impl Sizing {
    /// Decides each `every_ms`, about containers that were followed for `learn_ms`.
    pub fn new(every_ms: i64, learn_ms: i64) -> Sizing {
        Sizing { every_ms: every_ms.max(1), learn_ms, fleets: Vec::new(), subjects: BTreeMap::new() }
    }

    /// Containers are followed so long before anything is decided about them, in milliseconds.
    pub fn learn_for(&mut self, learn_ms: i64) {
        self.learn_ms = learn_ms;
    }

    /// How often it decides, in milliseconds.
    pub fn every_ms(&self) -> i64 {
        self.every_ms
    }

    /// Takes the use of containers at one time, in bytes, each with the risk that may be taken with it. What is not newer than
    /// what was taken before is left out.
    pub fn observe(&mut self, at_ms: i64, used: impl IntoIterator<Item = (ContainerId, u64, Risk)>) {
        let mut events = Vec::new();
        for (id, bytes, risk) in used {
            let sample = Sample { at_ms, bytes };
            let every_ms = self.every_ms;
            let subject =
                self.subjects.entry(id.clone()).or_insert_with(|| Subject::new(sample, risk, every_ms));
            if subject.risk != risk {
                // What it has shown stands; what was chosen at another risk is not settled at this one.
                (subject.risk, subject.member) = (risk, Member::default());
            }
            if subject.last.at_ms < at_ms || subject.first_ms == at_ms {
                let mut seen = |seen| events.push((event(seen), id.clone()));
                subject.tracker.observe(sample, &mut seen);
                subject.last = sample;
            }
        }
        self.take(events);
    }

    /// A container was killed for want of memory at this limit. Earlier ones at a limit that was no higher say nothing more: what
    /// is remembered goes down from one to the next.
    pub fn kill(&mut self, id: &ContainerId, kill: OomKill) {
        if let Some(subject) = self.subjects.get_mut(id) {
            subject.kills.retain(|earlier| earlier.limit_bytes > kill.limit_bytes);
            subject.kills.push(kill);
            subject.kills.truncate(KILLS_MAX);
        }
    }

    /// Sizes from `now_ms` on, for those of these containers that were followed for long enough, or killed.
    pub fn decide<'a>(
        &mut self,
        now_ms: i64,
        due: impl IntoIterator<Item = (&'a ContainerId, &'a Policy)>,
    ) -> BTreeMap<ContainerId, Wanted> {
        self.close(now_ms);
        let mut rounds: Vec<(Risk, Vec<Due<'a>>)> = Vec::new();
        for (id, policy) in due {
            let Some(subject) = self.subjects.get_mut(id) else { continue };
            subject.kills.retain(|kill| now_ms - kill.at_ms < USUAL_MS);
            let is_known = now_ms - subject.first_ms >= self.learn_ms || !subject.kills.is_empty();
            let Some(looks) = subject.tracker.looks(now_ms).filter(|_| is_known) else { continue };
            let round = rounds.iter().position(|(risk, _)| *risk == subject.risk);
            let round = round.unwrap_or_else(|| {
                rounds.push((subject.risk, Vec::new()));
                rounds.len() - 1
            });
            rounds[round].1.push(Due { id, policy, looks });
        }
        let mut wanted = BTreeMap::new();
        for (risk, due) in rounds {
            for (due, given) in due.iter().zip(self.given(risk, &due)) {
                if let Some(subject) = self.subjects.get_mut(due.id) {
                    wanted.insert(due.id.clone(), subject.wanted(due, &given));
                }
            }
        }
        wanted
    }

    /// Forgets containers of which nothing was read for so long that nothing could be said of them.
    pub fn forget(&mut self, now_ms: i64) {
        self.subjects.retain(|_, subject| now_ms - subject.last.at_ms < USUAL_MS);
    }

    /// Takes everything apart, to be stored in pieces.
    pub fn into_parts(self) -> (Sizing, Vec<(ContainerId, Subject)>) {
        let Sizing { subjects, .. } = self;
        (Sizing { subjects: BTreeMap::new(), ..self }, subjects.into_iter().collect())
    }

    /// Puts back what was taken apart; what is there already stays.
    pub fn add(&mut self, subjects: impl IntoIterator<Item = (ContainerId, Subject)>) {
        for (id, subject) in subjects {
            self.subjects.entry(id).or_insert(subject);
        }
    }

    fn close(&mut self, now_ms: i64) {
        let mut events = Vec::new();
        for (id, subject) in &mut self.subjects {
            subject.tracker.close(now_ms, &mut |seen| events.push((event(seen), id.clone())));
        }
        self.take(events);
    }

    /// In the order of time; at the same time in that of containers.
    fn take(&mut self, mut events: Vec<(Event, ContainerId)>) {
        events.sort_by(|(one, its), (other, theirs)| (one.key(), its).cmp(&(other.key(), theirs)));
        let mut events = events.into_iter().peekable();
        while let Some((event, id)) = events.next() {
            match event {
                Event::Ended(window) => {
                    let Some(subject) = self.subjects.get_mut(&id) else { continue };
                    live(&mut self.fleets, subject.risk, self.every_ms).ended(&mut subject.member, &window);
                }
                Event::Began(at_ms) => {
                    let mut began = vec![id];
                    let is_same = |(event, _): &(Event, ContainerId)| event.key() == (at_ms, 1);
                    began.extend(std::iter::from_fn(|| events.next_if(is_same)).map(|(_, id)| id));
                    self.begin(at_ms, &began);
                }
            }
        }
    }

    fn begin(&mut self, at_ms: i64, began: &[ContainerId]) {
        for (risk, live) in self.fleets.iter().filter(|(_, live)| live.asks_beginnings()) {
            let mut members = BTreeMap::new();
            for id in began {
                if let Some(subject) = self.subjects.get_mut(id).filter(|subject| subject.risk == *risk) {
                    members.insert(id, std::mem::take(&mut subject.member));
                }
            }
            live.began(at_ms, members.values_mut());
            for (id, member) in members {
                self.subjects.entry(id.clone()).and_modify(|subject| subject.member = member);
            }
        }
    }

    fn given(&mut self, risk: Risk, due: &[Due]) -> Vec<Given> {
        let members: Vec<_> =
            due.iter().filter_map(|due| Some((&self.subjects.get(due.id)?.member, due.looks))).collect();
        live(&mut self.fleets, risk, self.every_ms).decide(&members)
    }
}

/// A container that is due.
struct Due<'a> {
    id: &'a ContainerId,
    policy: &'a Policy,
    looks: [u64; LOOKS],
}

impl Event {
    fn key(&self) -> (i64, u8) {
        match self {
            Event::Ended(window) => (window.end_ms, 0),
            Event::Began(at_ms) => (*at_ms, 1),
        }
    }
}

fn event(seen: Seen) -> Event {
    match seen {
        Seen::Ended(window) => Event::Ended(window),
        Seen::Began(at_ms) => Event::Began(at_ms),
    }
}

fn live(fleets: &mut Vec<(Risk, Live)>, risk: Risk, every_ms: i64) -> &mut Live {
    let found = fleets.iter().position(|(known, _)| *known == risk);
    let index = found.unwrap_or_else(|| {
        fleets.push((risk, Live::new(risk, every_ms)));
        fleets.len() - 1
    });
    &mut fleets[index].1
}

impl Subject {
    fn new(first: Sample, risk: Risk, every_ms: i64) -> Subject {
        Subject {
            risk,
            member: Member::default(),
            tracker: Tracker::new(Looks::of_loop(every_ms), every_ms, every_ms),
            first_ms: first.at_ms,
            last: first,
            limit_now: None,
            kills: Vec::new(),
        }
    }

    fn wanted(&mut self, due: &Due, given: &Given) -> Wanted {
        let rule_bytes = allowed(self.limit_now, given.limit_bytes, self.last.bytes);
        self.limit_now = Some(rule_bytes);
        // A limit closer to what is used could not be set anyway.
        let floor_bytes = with_margin(due.looks[0].max(self.last.bytes));
        let (mut limit, mut why) = (rule_bytes, self.why(given, due.looks[given.look]));
        // All of the limit was in use then.
        let enough =
            |kill: &OomKill| limit_bytes(kill.limit_bytes, given.beyond).max(with_margin(kill.limit_bytes));
        let killed = self.kills.iter().map(enough).max().unwrap_or(0);
        if killed > limit {
            (limit, why) = (killed, "it was killed for want of memory".to_string());
        }
        let floor_bytes = floor_bytes.max(killed);
        limit = whole_mib(limit.max(floor_bytes));
        let bounded = due.policy.within(&due.id.container, limit);
        if bounded != limit {
            why = format!("{why}; brought into the bounds of MemoryPolicy '{}'", due.policy.name);
        }
        let request_bytes =
            due.policy.within(&due.id.container, whole_mib(due.looks[given.look])).min(bounded);
        Wanted { request_bytes, limit_bytes: bounded, rule_bytes, floor_bytes, why }
    }

    fn why(&self, given: &Given, look_bytes: u64) -> String {
        let looks = Looks::of_loop(1).0;
        // The spans are in decisions; the last is two weeks whatever they are.
        let span = match given.look {
            look if look + 1 < LOOKS => format!("{} decisions", looks[look]),
            _ => "14 days".to_string(),
        };
        let (mib, percent) = (look_bytes.div_ceil(MIB), given.margin * 100.0);
        format!("at most {mib} MiB used in the last {span}, and {percent} % more")
    }
}

/// A map whose keys are no texts, as a list of pairs.
mod pairs {
    use super::{ContainerId, Subject};
    use serde::{Deserialize, Deserializer, Serializer};
    use std::collections::BTreeMap;

    type Subjects = BTreeMap<ContainerId, Subject>;

    pub fn serialize<S: Serializer>(all: &Subjects, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(all)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Subjects, D::Error> {
        Ok(Vec::<(ContainerId, Subject)>::deserialize(from)?.into_iter().collect())
    }
}
