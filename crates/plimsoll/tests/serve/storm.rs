//! Many who fight for the last places, on replicas that die and come back; and a judge of what they were answered.
//!
//! The log of events is one order of all that happened. The judge holds each answer against it: what was answered happened
//! between the request and its answer, nothing that was promised is lost, at no point of the log is more promised than there
//! is, and who was refused was refused while nothing was free. That is linearizability of a counted thing (Herlihy and
//! Wing, 1990). Who gets no answer asks again, with the same key.

use crate::Place;
use crate::served::{Answer, Served, in_hours};
use plimsoll_real::postgres::Postgres;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

const CLIENTS: usize = 64;
/// Hours that are fought for, far enough from each other that leads and tails do not meet.
const HOURS: [u64; 5] = [30, 33, 36, 39, 42];
/// At each of them one has a place.
const PLACES: usize = 1;
/// Half a pod, so that two have none beside each other: ten with video.
const PEOPLE: u64 = 10;

/// What somebody did, and what they were told.
#[derive(Debug, Clone)]
struct Deed {
    asked: Instant,
    answered: Instant,
    hour: usize,
    what: What,
    /// HTTP's status.
    status: u16,
    id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Reserve,
    Cancel,
}

struct Storm {
    replicas: Vec<RwLock<Served>>,
    deeds: Mutex<Vec<Deed>>,
    count: AtomicUsize,
    /// How often something was sent again.
    again: AtomicUsize,
    is_over: AtomicBool,
}

impl Storm {
    /// Until it is answered: a reservation is sent again with the same key, so that it is made once.
    fn ask(&self, client: usize, what: What, hour: usize, id: &str) -> Deed {
        let key = format!("{client}.{}", self.count.load(Ordering::SeqCst));
        let body = json!({
            "start": in_hours(HOURS[hour]), "duration_minutes": 60, "expected_participants": PEOPLE,
            "features": {"video_chat": true}, "title": format!("{client}"),
        });
        let path = format!("/api/capacity/schedule/{id}");
        let (asked, mut tries) = (Instant::now(), 0);
        let answer = loop {
            assert!(tries < 1_000, "nobody answers");
            let replica = self.replicas[(client + tries) % self.replicas.len()].read().expect("no panic");
            let answer = match what {
                What::Reserve => {
                    let headers = [("idempotency-key", key.as_str())];
                    replica.try_ask("POST", "/api/capacity/schedule", &headers, Some(body.to_string()))
                }
                What::Cancel => replica.try_ask("DELETE", &path, &[], None),
            };
            drop(replica);
            match answer {
                Some(answer) if answer.status != 503 => break answer,
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
            self.again.fetch_add(1, Ordering::SeqCst);
            tries += 1;
        };
        let Answer { status, body, .. } = answer;
        let id = match what {
            What::Reserve => body["reservation"]["id"].as_str().unwrap_or_default().to_string(),
            What::Cancel => id.to_string(),
        };
        Deed { asked, answered: Instant::now(), hour, what, status, id }
    }

    /// Reserves, and gives back what it got, again and again.
    fn client(&self, client: usize, deeds: usize) {
        let mut random = client as u64 * 7_919 + 1;
        while self.count.fetch_add(1, Ordering::SeqCst) < deeds {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let hour = (random >> 33) as usize % HOURS.len();
            let reserved = self.ask(client, What::Reserve, hour, "");
            let (id, has) = (reserved.id.clone(), reserved.status == 201);
            self.deeds.lock().expect("no panic").push(reserved);
            if has {
                let cancelled = self.ask(client, What::Cancel, hour, &id);
                self.deeds.lock().expect("no panic").push(cancelled);
            }
        }
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// Kills one replica after the other while they are asked, and starts it again.
    fn killer(&self, start: impl Fn() -> Served) -> usize {
        let mut kills = 0;
        while !self.is_over.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(400));
            let replica = &self.replicas[kills % self.replicas.len()];
            // While others ask it: they only read.
            replica.read().expect("no panic").kill_now();
            *replica.write().expect("no panic") = start();
            kills += 1;
        }
        kills
    }
}

/// What the log says, in its order: to which hour, and one more or one less.
struct Log {
    steps: Vec<(usize, i64)>,
    /// Where each was promised, and where it was given back.
    promised: BTreeMap<String, usize>,
    cancelled: BTreeMap<String, usize>,
}

impl Log {
    fn read(served: &Served, hour_of: &BTreeMap<String, usize>) -> Log {
        let mut log = Log { steps: Vec::new(), promised: BTreeMap::new(), cancelled: BTreeMap::new() };
        for (number, event) in served.events_so_far() {
            let id = event["subject"].as_str().expect("an id").to_string();
            assert_eq!(number as usize, log.steps.len() + 1, "the log has a gap");
            let hour = hour_of[&id];
            match event["about"]["to"].as_str() {
                Some("confirmed") => {
                    log.steps.push((hour, 1));
                    assert_eq!(log.promised.insert(id, log.steps.len()), None);
                }
                Some("cancelled") => {
                    log.steps.push((hour, -1));
                    assert_eq!(log.cancelled.insert(id, log.steps.len()), None);
                }
                other => panic!("{other:?}: {event}"),
            }
        }
        log
    }

    /// How many have a place at an hour after each step.
    fn held(&self, hour: usize) -> Vec<i64> {
        let mut held = 0;
        let after = |(of, change): &(usize, i64)| {
            held += if *of == hour { *change } else { 0 };
            held
        };
        std::iter::once(0).chain(self.steps.iter().map(after)).collect()
    }

    fn judge(&self, deeds: &[Deed]) {
        let held: Vec<Vec<i64>> = (0..HOURS.len()).map(|hour| self.held(hour)).collect();
        for (hour, held) in held.iter().enumerate() {
            assert!(held.iter().all(|count| (0..=PLACES as i64).contains(count)), "hour {hour}: {held:?}");
        }
        // Where each deed that was answered stands in the log.
        let at = |deed: &Deed| match (deed.what, deed.status) {
            (What::Reserve, 201) => {
                Some(*self.promised.get(&deed.id).expect("what was promised is in the log"))
            }
            // The second of these was sent again, after the first had come through.
            (What::Cancel, 200 | 409) => {
                Some(*self.cancelled.get(&deed.id).expect("what was given back is in the log"))
            }
            _ => None,
        };
        let placed: Vec<(&Deed, usize)> = deeds.iter().filter_map(|deed| Some((deed, at(deed)?))).collect();
        let mut by_end: Vec<(Instant, usize)> =
            placed.iter().map(|(deed, at)| (deed.answered, *at)).collect();
        by_end.sort();
        let mut by_begin: Vec<(Instant, usize)> = placed.iter().map(|(deed, at)| (deed.asked, *at)).collect();
        by_begin.sort();
        // The log went at least so far when something was asked, and no farther when it was answered.
        let least: Vec<usize> = running(by_end.iter().map(|(_, at)| *at), usize::max);
        let mut most: Vec<usize> = running(by_begin.iter().rev().map(|(_, at)| *at), usize::min);
        most.reverse();
        for deed in deeds {
            let before = by_end.partition_point(|(answered, _)| *answered < deed.asked);
            let after = by_begin.partition_point(|(asked, _)| *asked <= deed.answered);
            let from = before.checked_sub(1).map_or(0, |index| least[index]);
            let until = most.get(after).map_or(self.steps.len(), |at| at - 1);
            match at(deed) {
                Some(at) => assert!(from < at && at <= until, "{deed:?} is at {at}, not in {from}..={until}"),
                None => {
                    assert_eq!((deed.what, deed.status), (What::Reserve, 409), "{deed:?}");
                    let was_full = held[deed.hour][from..=until].contains(&(PLACES as i64));
                    assert!(was_full, "{deed:?} was refused while there was a place");
                }
            }
        }
    }
}

fn running(all: impl Iterator<Item = usize>, choose: fn(usize, usize) -> usize) -> Vec<usize> {
    let mut chosen = None;
    let next = |one| {
        let now = chosen.map_or(one, |before| choose(before, one));
        chosen = Some(now);
        now
    };
    all.map(next).collect()
}

/// `STORM=20000` goes on for longer than usual.
#[test]
fn nobody_is_promised_what_another_has_whatever_dies() {
    let deeds = std::env::var("STORM").ok().and_then(|it| it.parse().ok()).unwrap_or(1_500);
    let check = |place: &Place, store: &str, replicas: usize| {
        let start = || Served::start(store, &place.config(), &[]);
        let replicas = (0..replicas).map(|_| RwLock::new(start())).collect();
        let storm = Storm {
            replicas,
            deeds: Mutex::default(),
            count: AtomicUsize::new(0),
            again: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        };
        let storm = &storm;
        let kills = std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                scope.spawn(move || storm.client(client, deeds));
            }
            scope.spawn(move || storm.killer(start)).join().expect("no panic")
        });
        let deeds = storm.deeds.lock().expect("no panic").clone();
        let served = start();
        let all = served.get("/api/capacity/schedule?limit=500").body;
        assert!(all["next"].is_string() || all["reservations"].is_array(), "{all}");
        let hour_of = hours(&served);
        let log = Log::read(&served, &hour_of);
        log.judge(&deeds);
        let count = |status: u16| deeds.iter().filter(|deed| deed.status == status).count();
        let again = storm.again.load(Ordering::SeqCst);
        println!("{kills} kills: {} promised, {} refused, {again} sent again", count(201), count(409));
        assert!(kills > 0 && count(201) > 10 * HOURS.len() && again > 0, "too little happened");
    };
    let place = Place::new("capacity: {pod_limit: 360M, regions: [{pods: 1, most_pods: 1}]}");
    check(&place, &place.sqlite(), 1);
    let postgres = Postgres::start();
    check(&place, &postgres.url, 2);
}

/// The hour of each reservation that was ever made.
fn hours(served: &Served) -> BTreeMap<String, usize> {
    let (mut found, mut path) = (BTreeMap::new(), "/api/capacity/schedule?limit=500".to_string());
    let starts = HOURS.map(in_hours);
    loop {
        let page = served.get(&path).body;
        for one in page["reservations"].as_array().expect("a list") {
            let hour = starts.iter().position(|start| one["scheduled"]["start"] == **start).expect("an hour");
            found.insert(one["id"].as_str().expect("an id").to_string(), hour);
        }
        let Some(next) = page["next"].as_str() else { return found };
        path = format!("/api/capacity/schedule?limit=500&cursor={next}");
    }
}
