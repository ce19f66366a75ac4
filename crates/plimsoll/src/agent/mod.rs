//! The agent: what each cgroup of a machine uses, whose it is, and whom the kernel has killed, for a Prometheus or an OpenTelemetry
//! collector.
//!
//! It looks often, at little: which cgroups there are and what each has counted of kills (`look`). It reads everything only when somebody
//! asks (`moment`). Nothing it meets ends it: what it cannot see it says once, and shows as `plimsoll_agent_blind`.

mod blind;
mod exposition;
mod heaps;
mod identity;
mod labels;
mod metrics;
mod moment;
mod otlp;
pub mod serve;
mod state;

pub use metrics::text;
pub use moment::{Moment, Shown};
pub use otlp::Otlp;

use blind::{Blind, What};
use heaps::Heaps;
use identity::{Identities, Identity};
use plimsoll_cluster::node_pods::NodePods;
use plimsoll_core::kills::{Ledger, Look, Subject};
use plimsoll_probe::cgroup::Version;
use plimsoll_probe::survey::kernel_log::KernelLog;
use plimsoll_probe::survey::name::{Name, container_above};
use plimsoll_probe::survey::{Choice, Found, Hierarchy, KillWatch, Reader, Walked, walk};
use state::State;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Two who ask within this get the same reading.
const READING_AGE_MAX: Duration = Duration::from_secs(1);
/// A list of a node's pods that takes longer is not coming.
const LISTED_WITHIN: Duration = Duration::from_secs(15);

/// What an agent is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where `/proc`, `/sys/fs/cgroup` and `/dev/kmsg` are.
    pub root: PathBuf,
    /// Which cgroups that are no containers are shown.
    pub choice: Choice,
    /// Where kills are kept over a restart.
    pub state: Option<PathBuf>,
    /// The node's name; empty outside of Kubernetes.
    pub node: String,
}

/// See the module.
pub struct Agent {
    settings: Settings,
    reader: Option<Reader>,
    log: Option<KernelLog>,
    watch: Option<KillWatch>,
    pods: Option<NodePods>,
    identities: Identities,
    heaps: Heaps,
    ledger: Ledger,
    state: State,
    blind: Blind,
    shown: Groups,
    left_out: usize,
    since: Instant,
    look_seconds: f64,
    moment: Option<(Instant, Arc<Moment>)>,
}

impl Agent {
    /// Of this machine; `pods` where a cluster is to be asked whose they are.
    pub fn new(settings: Settings, pods: Option<NodePods>) -> Agent {
        let mut blind = Blind::default();
        let log = KernelLog::open(&settings.root);
        blind.set(What::KernelLog, log.as_ref().err().map(|refusal| refusal.to_string()));
        let (state, ledger) = State::open(settings.state.as_deref(), &settings.root, &mut blind);
        let (node, root) = (settings.node.clone(), settings.root.clone());
        Agent {
            reader: None,
            log: log.ok(),
            watch: None,
            identities: Identities::new(node, root.clone()),
            heaps: Heaps::new(root),
            ledger,
            state,
            blind,
            pods,
            shown: Vec::new(),
            left_out: 0,
            since: Instant::now(),
            look_seconds: 0.0,
            moment: None,
            settings,
        }
    }

    /// What wakes when the kernel has killed somebody, as far as that can be had.
    pub fn alarms(&self) -> Vec<std::os::fd::BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        self.log.iter().map(AsFd::as_fd).chain(self.watch.iter().map(AsFd::as_fd)).collect()
    }

    /// Looks who is there, and who was killed.
    pub fn look(&mut self) {
        let started = Instant::now();
        self.see_pods();
        if self.reader.is_none() {
            self.open();
        }
        let now_ms = self.now_ms();
        let Some(reader) = &mut self.reader else { return };
        let walked = match walk(reader.hierarchy(), &self.settings.choice) {
            Ok(walked) => walked,
            Err(refusal) => {
                self.blind.set(What::Cgroups, Some(refusal.to_string()));
                self.reader = None;
                return;
            }
        };
        self.blind.set(What::Cgroups, None);
        self.identities.begin(self.pods.as_ref(), started);
        // The order is what makes sums come out: a pod's count first, then those in it, then the log.
        let look = Look {
            now_ms,
            pods: pods(&walked, reader, &mut self.identities),
            groups: Vec::new(),
            logged: Vec::new(),
        };
        let shown = groups(walked.found, reader, &mut self.identities);
        let groups = shown.iter().map(|(_, identity, kills)| (identity.subject.clone(), *kills)).collect();
        let killed = self.log.as_mut().map(KernelLog::kills).unwrap_or_default();
        let choice = &self.settings.choice;
        let logged =
            killed.iter().filter_map(|path| logged(path, &shown, choice, &mut self.identities)).collect();
        let new = self.ledger.look(&Look { groups, logged, ..look });
        if let Some(watch) = &mut self.watch {
            watch.follow(reader.hierarchy(), shown.iter().map(|(found, ..)| found.path.as_str()));
        }
        self.identities.end();
        self.shown = shown;
        self.left_out = walked.left_out;
        self.blind.set(What::Ci, self.identities.refused());
        if new > 0 {
            self.state.write(&self.ledger, &mut self.blind);
        }
        self.look_seconds = started.elapsed().as_secs_f64();
    }

    /// What an alarm was about, between two looks: a cgroup in which all were killed is gone in a moment.
    pub fn hear(&mut self) {
        let now_ms = self.now_ms();
        let Some(reader) = &mut self.reader else { return };
        let mut new = 0;
        for path in self.watch.as_mut().map(KillWatch::changed).unwrap_or_default() {
            let found = self.shown.binary_search_by(|(found, ..)| found.path.as_str().cmp(&path));
            let Ok((found, identity, _)) = found.map(|at| &self.shown[at]) else { continue };
            if let Some(kills) = reader.kills(&path, found.is_whole()) {
                new += self.ledger.hear_counter(&identity.subject, kills, now_ms);
            }
        }
        for path in self.log.as_mut().map(KernelLog::kills).unwrap_or_default() {
            if let Some(subject) = logged(&path, &self.shown, &self.settings.choice, &mut self.identities) {
                new += self.ledger.hear_log(&subject, now_ms);
            }
        }
        if new > 0 {
            self.state.write(&self.ledger, &mut self.blind);
        }
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Everything, as it is now or was a moment ago.
    pub fn moment(&mut self) -> Arc<Moment> {
        let fresh = self.moment.as_ref().filter(|(at, _)| at.elapsed() < READING_AGE_MAX);
        if let Some((_, moment)) = fresh {
            return moment.clone();
        }
        self.look();
        let moment = Arc::new(self.read());
        self.moment = Some((Instant::now(), moment.clone()));
        moment
    }

    /// Writes down what must not be lost.
    pub fn end(&mut self) {
        self.state.write(&self.ledger, &mut self.blind);
    }

    fn open(&mut self) {
        match Hierarchy::find(&self.settings.root) {
            Ok(hierarchy) => {
                self.watch = KillWatch::new(&hierarchy);
                self.reader = Some(Reader::new(hierarchy));
            }
            Err(refusal) => self.blind.set(What::Cgroups, Some(refusal.to_string())),
        }
    }

    fn see_pods(&mut self) {
        let Some(pods) = &self.pods else { return };
        let is_late = !pods.is_listed() && self.since.elapsed() > LISTED_WITHIN;
        let not_yet = || is_late.then(|| "the API server does not list them".to_string());
        self.blind.set(What::Pods, pods.trouble().or_else(not_yet));
    }

    fn read(&mut self) -> Moment {
        let started = Instant::now();
        let mut moment = Moment::begin(&self.ledger, self.left_out, self.look_seconds);
        if let Some(reader) = &mut self.reader {
            reader.begin();
            self.heaps.begin();
            for (found, identity, _) in self.shown.iter().filter(|(_, identity, _)| identity.is_shown) {
                // It may have vanished since the look.
                let Some(reading) = reader.read(&found.path) else { continue };
                let heaps = self.heaps.of(&reader.processes(&found.path, heaps::PROCESSES_MAX));
                moment.add(Shown { identity: identity.clone(), reading, heaps });
            }
            self.heaps.end();
            let psi = "no cgroup tells its pressure: the kernel has none (psi=1), or only for cgroups of v2";
            self.blind.set(What::Psi, moment.lacks(|shown| shown.reading.pressure.is_some(), psi));
            let peak = "no cgroup tells its peak: memory.peak came with Linux 5.19";
            self.blind.set(What::Peak, moment.lacks(|shown| shown.reading.peak_bytes.is_some(), peak));
            self.blind.set(What::Heap, self.heaps.refused());
        }
        moment.blind = self.blind.all().collect();
        moment.read_seconds = started.elapsed().as_secs_f64();
        moment
    }
}

/// Pods and what they have counted; v1 counts nothing that is below.
fn pods(walked: &Walked, reader: &mut Reader, identities: &mut Identities) -> Vec<(Subject, u64)> {
    if reader.hierarchy().version == Version::V1 {
        return Vec::new();
    }
    let counted = |(path, uid): &(String, String)| {
        let kills = reader.kills(path, true)?;
        Some((identities.of_pod(path, uid), kills))
    };
    walked.pods.iter().filter_map(counted).collect()
}

/// Cgroups by path: whose each is, and what it has counted of kills.
type Groups = Vec<(Found, Arc<Identity>, Option<u64>)>;

fn groups(found: Vec<Found>, reader: &mut Reader, identities: &mut Identities) -> Groups {
    let known = |found: Found| {
        let kills = reader.kills(&found.path, found.is_whole());
        let identity = identities.of(&found, reader);
        (found, identity, kills)
    };
    found.into_iter().map(known).collect()
}

/// Whose a kill is that the log tells.
fn logged(path: &str, shown: &Groups, choice: &Choice, identities: &mut Identities) -> Option<Subject> {
    let container = container_above(path);
    let is_it = |found: &Found| match &container {
        // The log's paths begin at the true root, ours where we can see.
        Some((_, it)) => found.container().is_some_and(|other| other.id == it.id),
        None => path.strip_prefix(&*found.path).is_some_and(|rest| {
            // What is below a unit is the unit's; what is below anything else counts for itself.
            rest.is_empty() || found.is_whole() && rest.starts_with('/')
        }),
    };
    // The nearest above is the last in order.
    if let Some((_, identity, _)) = shown.iter().rev().find(|(found, ..)| is_it(found)) {
        return Some(identity.subject.clone());
    }
    let (path, name) = match container {
        Some((path, container)) => (path, Name::Container(container)),
        None => (path, Name::of(path)),
    };
    let is_taken = matches!((&name, choice), (Name::Container(_), _) | (_, Choice::Holding));
    is_taken.then(|| identities.of_gone(Found { path: path.to_string(), name }))
}
