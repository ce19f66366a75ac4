//! What is counted, from look to look.

use super::pods::{self, Pods};
use super::{Look, Row, Subject, Whose};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Counts of a container that has gone are shown for so long, so that whoever scrapes each minute or five sees them.
pub const KEPT_MS: i64 = 30 * 60 * 1000;
/// Totals that are kept; of more, those go of whom nobody was killed for longest.
pub const TOTALS_MAX: usize = 2_000;

/// Kills so far.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    has_begun: bool,
    living: BTreeMap<Arc<str>, Known>,
    pods: Pods,
    rows: BTreeMap<Arc<Row>, RowCount>,
    totals: BTreeMap<Arc<Whose>, Total>,
}

/// A cgroup that is there.
#[derive(Debug, Clone)]
struct Known {
    subject: Subject,
    /// What its counter said last.
    counter: u64,
    /// What it has counted, over its being made anew under the same name too.
    counted: u64,
    /// What the log has said of it.
    logged: u64,
}

impl Known {
    /// The sources say the same kills, so the one that knows more is right.
    fn kills(&self) -> u64 {
        self.counted.max(self.logged)
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct RowCount {
    kills: u64,
    /// When the last cgroup of it went.
    ended_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Total {
    kills: u64,
    last_ms: i64,
}

/// What outlives the process that counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Totals.
    pub totals: Vec<(Whose, u64)>,
    /// Cgroups in which somebody was killed.
    pub groups: Vec<KeptGroup>,
    /// Kills of pods that are not those of a cgroup that is there, by path.
    pub pods: Vec<(String, u64)>,
}

/// Of one cgroup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptGroup {
    /// Its path.
    pub path: String,
    /// The path of its pod.
    pub pod: Option<String>,
    /// Its labels.
    pub row: Row,
    /// Whose kills they are.
    pub whose: Whose,
    /// How many.
    pub kills: u64,
}

impl Ledger {
    /// Goes on where another stopped. `is_same_boot`: the cgroups of then may be there still; else only totals are.
    pub fn resume(kept: Kept, is_same_boot: bool) -> Ledger {
        let total = |(whose, kills)| (Arc::new(whose), Total { kills, last_ms: 0 });
        let totals = kept.totals.into_iter().take(TOTALS_MAX).map(total).collect();
        let mut ledger = Ledger { has_begun: is_same_boot, totals, ..Ledger::default() };
        if is_same_boot {
            for group in kept.groups {
                let path: Arc<str> = group.path.into();
                let row = Arc::new(group.row);
                ledger.rows.entry(row.clone()).or_default().kills += group.kills;
                let subject = Subject {
                    path: path.clone(),
                    pod: group.pod.map(Arc::from),
                    row,
                    whose: Arc::new(group.whose),
                };
                let kills = group.kills;
                ledger.living.insert(path, Known { subject, counter: kills, counted: kills, logged: kills });
            }
            ledger.pods = Pods::resume(kept.pods);
        }
        ledger
    }

    /// What has to be kept to go on.
    pub fn keep(&self) -> Kept {
        let has_kills = |known: &&Known| known.kills() > 0;
        let group = |known: &Known| KeptGroup {
            path: known.subject.path.to_string(),
            pod: known.subject.pod.as_ref().map(|pod| pod.to_string()),
            row: (*known.subject.row).clone(),
            whose: (*known.subject.whose).clone(),
            kills: known.kills(),
        };
        Kept {
            totals: self
                .totals()
                .filter(|(_, kills)| *kills > 0)
                .map(|(whose, kills)| (whose.clone(), kills))
                .collect(),
            groups: self.living.values().filter(has_kills).map(group).collect(),
            pods: self.pods.keep(),
        }
    }

    /// Takes in what was seen, and says how many kills are new.
    ///
    /// What cgroups have counted before the first look ever is theirs, but nobody's news: it is in no total.
    pub fn look(&mut self, look: &Look) -> u64 {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let mut new = 0;
        for subject in &look.logged {
            new += self.log(subject, look.now_ms);
        }
        for (subject, counter) in &look.groups {
            new += self.see(subject, *counter, is_first, look.now_ms);
        }
        let gone = self.gone(look);
        new += self.settle_pods(look, &gone, is_first);
        self.bury(look, &gone);
        self.forget(look.now_ms);
        new
    }

    /// Takes in one counter between two looks: the cgroup may have vanished by the next.
    pub fn hear_counter(&mut self, subject: &Subject, counter: u64, now_ms: i64) -> u64 {
        self.see(subject, Some(counter), false, now_ms)
    }

    /// Takes in one kill of the log between two looks.
    pub fn hear_log(&mut self, subject: &Subject, now_ms: i64) -> u64 {
        self.log(subject, now_ms)
    }

    /// Kills in each container that is there, or was until a while ago.
    pub fn rows(&self) -> impl Iterator<Item = (&Row, u64)> {
        self.rows.iter().map(|(row, count)| (&**row, count.kills))
    }

    /// Kills by what outlives pods. Those who are there are in it from the start with 0, so that their first is seen to come.
    pub fn totals(&self) -> impl Iterator<Item = (&Whose, u64)> {
        self.totals.iter().map(|(whose, total)| (&**whose, total.kills))
    }

    fn log(&mut self, subject: &Subject, now_ms: i64) -> u64 {
        let known = self.living.entry(subject.path.clone()).or_insert_with(|| Known::of(subject));
        let before = known.kills();
        known.logged += 1;
        let (subject, more) = (known.subject.clone(), known.kills() - before);
        self.add(&subject, more, more, now_ms);
        more
    }

    fn see(&mut self, subject: &Subject, counter: Option<u64>, is_first: bool, now_ms: i64) -> u64 {
        let known = self.living.entry(subject.path.clone()).or_insert_with(|| Known::of(subject));
        if known.subject.row != subject.row {
            // It has a name now: its count goes with it.
            let count = self.rows.remove(&known.subject.row).unwrap_or_default();
            self.rows.entry(subject.row.clone()).or_default().kills += count.kills;
        }
        known.subject = subject.clone();
        let before = known.kills();
        if let Some(counter) = counter {
            // Less than before: another cgroup of the same name, which has begun at 0.
            known.counted += if counter < known.counter { counter } else { counter - known.counter };
            known.counter = counter;
            if is_first {
                known.logged = known.counted;
            }
        }
        let more = known.kills() - before;
        let news = if is_first { 0 } else { more };
        self.add(subject, more, news, now_ms);
        if let Some(row) = self.rows.get_mut(&subject.row) {
            row.ended_ms = None;
        }
        news
    }

    /// Adds to a container's count and to its total.
    fn add(&mut self, subject: &Subject, of_row: u64, news: u64, now_ms: i64) {
        self.rows.entry(subject.row.clone()).or_default().kills += of_row;
        let total = self.totals.entry(subject.whose.clone()).or_insert(Total { kills: 0, last_ms: now_ms });
        total.kills += news;
        if news > 0 {
            total.last_ms = now_ms;
        }
    }

    /// Those that are not there any more.
    fn gone(&self, look: &Look) -> Vec<Arc<str>> {
        let there: BTreeSet<&Arc<str>> = look.groups.iter().map(|(subject, _)| &subject.path).collect();
        self.living.keys().filter(|path| !there.contains(path)).cloned().collect()
    }

    /// What a pod has counted and nothing in it explains: it was in the one container that has gone, or else the pod's.
    fn settle_pods(&mut self, look: &Look, gone: &[Arc<str>], is_first: bool) -> u64 {
        let mut new = 0;
        for (pod, counter) in &look.pods {
            let inside = self.living.values().filter(|known| known.subject.pod.as_ref() == Some(&pod.path));
            let explained: u64 = inside.map(Known::kills).sum();
            let of_gone = |path: &&Arc<str>| self.living[*path].subject.pod.as_ref() == Some(&pod.path);
            let mut gone_inside = gone.iter().filter(of_gone);
            let only = match (gone_inside.next(), gone_inside.next()) {
                (Some(path), None) => Some(path.clone()),
                _ => None,
            };
            match self.pods.settle(&pod.path, *counter, explained, only.is_some()) {
                pods::Gap::None => {}
                _ if is_first => {}
                pods::Gap::OfTheGone(kills) => {
                    let Some(known) = only.and_then(|path| self.living.get_mut(&path)) else { continue };
                    known.counted = known.kills() + kills;
                    let subject = known.subject.clone();
                    self.add(&subject, kills, kills, look.now_ms);
                    new += kills;
                }
                pods::Gap::OfThePod(kills) => {
                    self.add(pod, kills, kills, look.now_ms);
                    new += kills;
                }
            }
        }
        new
    }

    /// Those that have gone leave their kills to their pod's account, and their rows for a while.
    fn bury(&mut self, look: &Look, gone: &[Arc<str>]) {
        for path in gone {
            let Some(known) = self.living.remove(path) else { continue };
            if let Some(pod) = &known.subject.pod {
                self.pods.bury(pod, known.kills());
            }
        }
        let there: BTreeSet<&Arc<Row>> = self.living.values().map(|known| &known.subject.row).collect();
        for (row, count) in &mut self.rows {
            if !there.contains(row) {
                count.ended_ms.get_or_insert(look.now_ms);
            }
        }
        self.pods.retain(look.pods.iter().map(|(pod, _)| &pod.path));
    }

    fn forget(&mut self, now_ms: i64) {
        self.rows.retain(|_, count| {
            count.ended_ms.is_none_or(|ended_ms| count.kills > 0 && now_ms - ended_ms < KEPT_MS)
        });
        let needed: BTreeSet<Arc<Whose>> =
            self.living.values().map(|known| known.subject.whose.clone()).collect();
        self.totals.retain(|whose, total| total.kills > 0 || needed.contains(whose));
        while self.totals.len() > TOTALS_MAX {
            let oldest = self.totals.iter().min_by_key(|(_, total)| (total.kills > 0, total.last_ms));
            let Some(oldest) = oldest.map(|(whose, _)| whose.clone()) else { break };
            self.totals.remove(&oldest);
        }
    }
}

impl Known {
    fn of(subject: &Subject) -> Known {
        Known { subject: subject.clone(), counter: 0, counted: 0, logged: 0 }
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
