//! What was read, of this period and of the one before: all that a report is made of.

use crate::capacity::booking::price::Money;
use crate::profile::Profile;
use crate::rightsize::answer::{Answer, Container, Id};
use crate::rightsize::envelope::Envelope;

/// A stretch of time, the end not in it, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// First.
    pub from_ms: i64,
    /// End.
    pub to_ms: i64,
}

impl Period {
    /// The one before, of the same length.
    pub fn before(self) -> Period {
        Period { from_ms: self.from_ms - self.length_ms(), to_ms: self.from_ms }
    }

    /// How long it is.
    pub fn length_ms(self) -> i64 {
        self.to_ms - self.from_ms
    }

    /// Whether a time is in it.
    pub fn has(self, at_ms: i64) -> bool {
        (self.from_ms..self.to_ms).contains(&at_ms)
    }
}

/// A source: what was read of it, or how it would be asked. Not asked is never the same as nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Source<T> {
    /// It was not asked; what to add to the command.
    NotAsked(String),
    /// It was.
    Asked {
        /// Where it is.
        from: String,
        /// What could not be known, and what that means.
        remarks: Vec<String>,
        /// What was read.
        read: T,
    },
}

impl<T> Source<T> {
    /// What was read.
    pub fn read(&self) -> Option<&T> {
        match self {
            Source::NotAsked(_) => None,
            Source::Asked { read, .. } => Some(read),
        }
    }

    /// Where it is; nothing where it was not asked.
    pub fn from(&self) -> &str {
        match self {
            Source::NotAsked(_) => "",
            Source::Asked { from, .. } => from,
        }
    }
}

/// All that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The period that is reported.
    pub period: Period,
    /// The containers of a cluster.
    pub cluster: Source<Cluster>,
    /// What is remembered of builds; intents only of attempts that do not run any more.
    pub builds: Source<Vec<Profile>>,
    /// What people take.
    pub capacity: Source<People>,
}

/// The containers of a cluster.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cluster {
    /// Each that could be judged, with its answer.
    pub judged: Vec<(Container, Answer)>,
    /// What each held that cannot be reclaimed, hour by hour: of its pods, the one that held most.
    pub held: Vec<(Id, Envelope)>,
    /// Kills, from whichever source tells of them.
    pub kills: Vec<Kills>,
    /// What all that ran has requested at moments of both periods, time and bytes, in the order of time.
    pub requested: Vec<(i64, u64)>,
    /// What memory costs.
    pub price: Price,
}

/// What memory costs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Price {
    /// A GiB for an hour.
    pub gib_hour: Money,
    /// In which money, ISO 4217; empty where nobody says.
    pub currency: String,
    /// Who says so.
    pub source: String,
}

/// Whom kills have hit, by what outlives pods.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whose {
    /// A workload.
    Workload {
        /// Namespace.
        namespace: String,
        /// Kind, such as `Deployment`.
        kind: String,
        /// Its name.
        workload: String,
    },
    /// A CI job.
    Job {
        /// Project.
        project: String,
        /// Its name.
        job: String,
    },
    /// A container of a machine that belongs to neither, or a unit.
    Container(String),
}

/// Kills of one container that were seen at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kills {
    /// Whose.
    pub whose: Whose,
    /// Container; empty where it is not known.
    pub container: String,
    /// When, in milliseconds since 1970, to the hour.
    pub at_ms: i64,
    /// How many.
    pub count: u64,
    /// By the agent's counter; else by what the pod's status says.
    pub is_counted: bool,
}

/// What people take, and how well that was foretold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct People {
    /// Changes in how much they take: since when, in milliseconds since 1970, and by which share.
    pub drifts: Vec<(i64, f64)>,
    /// How many projections were scored; none where there were none.
    pub scored: Option<Scored>,
    /// What each hour of running adds, in MB of 10^6 bytes; 0 without a leak.
    pub leak_mb_per_hour: f64,
}

/// How good projections were.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scored {
    /// Of how many.
    pub projections: u64,
    /// Mean distance from what was used, as a share.
    pub error_share: f64,
    /// Share that used more than p99.
    pub breach_share: f64,
}
