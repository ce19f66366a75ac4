//! Whose a cgroup is: by its path, by the cluster that its pod is of, by the environment of its processes.

use super::labels;
use plimsoll_cluster::node_pods::{Card, NodePods};
use plimsoll_core::kills::{Row, Subject, Whose};
use plimsoll_probe::survey::name::Name;
use plimsoll_probe::survey::{Found, Reader, ci_of};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Processes of a cgroup whose environment is asked for a CI job.
const ASKED_MAX: usize = 8;
/// Where none told, they are asked again after this: a job may begin in a cgroup that was there before.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// A cgroup, known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// For the ledger of kills, with the labels of its series.
    pub subject: Subject,
    /// Those as text.
    pub labels: String,
    /// Whether it is shown: a pod's own sandbox is not.
    pub is_shown: bool,
    /// Its node.
    pub node: String,
    /// The image, where the cluster tells.
    pub image: String,
    /// What its pod requests for it, in bytes.
    pub request_bytes: Option<u64>,
    /// The id of its container, where it is one.
    pub container_id: String,
    /// Its pod's uid, as the kubelet has it.
    pub pod_uid: String,
}

/// All that are known.
pub struct Identities {
    node: String,
    root: PathBuf,
    pods: Option<NodePods>,
    known: HashMap<String, Known>,
    now: Instant,
}

struct Known {
    identity: Arc<Identity>,
    asked: Instant,
    /// It was asked for a CI job when it was last, and may not be.
    was_refused: bool,
    is_there: bool,
}

impl Identities {
    /// None yet.
    pub fn new(node: String, root: PathBuf) -> Identities {
        Identities { node, root, pods: None, known: HashMap::new(), now: Instant::now() }
    }

    /// Before a look.
    pub fn begin(&mut self, pods: Option<&NodePods>, now: Instant) {
        self.now = now;
        if self.pods.is_none() {
            self.pods = pods.cloned();
        }
        if self.pods.as_ref().is_some_and(NodePods::has_changed) {
            self.known.retain(|_, known| known.identity.pod_uid.is_empty());
        }
        self.known.values_mut().for_each(|known| known.is_there = false);
    }

    /// After it: those that have gone are forgotten.
    pub fn end(&mut self) {
        self.known.retain(|_, known| known.is_there);
    }

    /// Why CI jobs cannot be seen.
    pub fn refused(&self) -> Option<String> {
        self.known
            .values()
            .any(|known| known.was_refused)
            .then(|| "environments of others may not be read; it takes root or CAP_SYS_PTRACE".to_string())
    }

    /// Of a cgroup that is there.
    pub fn of(&mut self, found: &Found, reader: &mut Reader) -> Arc<Identity> {
        if let Some(known) = self.known.get_mut(&found.path) {
            let is_open = known.identity.subject.row.namespace.is_empty()
                && known.identity.subject.whose.ci_job.is_empty();
            if !is_open || self.now - known.asked < ASK_AGAIN {
                known.is_there = true;
                return known.identity.clone();
            }
        }
        let card = self.card(found);
        // Within a cluster the cluster tells, and secrets are nobody's business.
        let told = if card.is_some() { Some(Whose::default()) } else { self.ask(found, reader) };
        let was_refused = told.is_none();
        let identity = Arc::new(self.make(found, card.as_deref(), told.unwrap_or_default()));
        let known = Known { identity: identity.clone(), asked: self.now, was_refused, is_there: true };
        self.known.insert(found.path.clone(), known);
        identity
    }

    /// Of one that has gone, by its name alone.
    pub fn of_gone(&mut self, found: Found) -> Subject {
        if let Some(known) = self.known.get(&found.path) {
            return known.identity.subject.clone();
        }
        let card = self.card(&found);
        self.make(&found, card.as_deref(), Whose::default()).subject
    }

    /// Of a pod as a whole.
    pub fn of_pod(&mut self, path: &str, uid: &str) -> Subject {
        let card = self.pods.as_ref().and_then(|pods| pods.get(uid));
        let (row, whose) = match &card {
            Some(card) => (of_card(card, ""), whose_of_card(card, "")),
            None => (Row { cgroup: labels::path(path), ..Row::default() }, Whose::default()),
        };
        Subject { path: path.into(), pod: None, row: Arc::new(row), whose: Arc::new(whose) }
    }

    fn card(&self, found: &Found) -> Option<Arc<Card>> {
        self.pods.as_ref()?.get(found.container()?.pod_uid.as_deref()?)
    }

    /// The CI job that its processes tell. `None` where they may not be asked.
    fn ask(&self, found: &Found, reader: &mut Reader) -> Option<Whose> {
        let mut pids = reader.processes(&found.path, ASKED_MAX);
        // That we may ask ourselves says nothing of others.
        pids.retain(|pid| *pid != std::process::id());
        let ci = ci_of(&self.root, &pids)?;
        Some(Whose {
            ci_project: labels::name(&ci.project),
            ci_job: labels::name(&ci.job),
            ci_stage: labels::name(&ci.stage),
            ..Whose::default()
        })
    }

    fn make(&self, found: &Found, card: Option<&Card>, ci: Whose) -> Identity {
        let container = found.container();
        let of_pod = card.zip(container).map(|(card, it)| (card, card.container(&it.id)));
        let (row, whose) = match of_pod {
            Some((card, it)) => {
                let name = it.map_or("", |it| &it.name);
                (of_card(card, name), whose_of_card(card, name))
            }
            None => of_path(found, ci),
        };
        let mut text = String::new();
        let pairs = [
            ("namespace", &row.namespace),
            ("pod", &row.pod),
            ("container", &row.container),
            ("cgroup", &row.cgroup),
        ];
        labels::pairs(&mut text, pairs.map(|(key, value)| (key, value.as_str())));
        let known = of_pod.and_then(|(_, it)| it);
        Identity {
            subject: Subject {
                path: found.path.as_str().into(),
                pod: found.pod_path().map(Arc::from),
                row: Arc::new(row),
                whose: Arc::new(whose),
            },
            labels: text,
            is_shown: of_pod.is_none_or(|(_, it)| it.is_some()),
            node: self.node.clone(),
            image: known.map(|it| labels::name(&it.image)).unwrap_or_default(),
            request_bytes: known.and_then(|it| it.request_bytes),
            container_id: container.map(|it| it.id.clone()).unwrap_or_default(),
            pod_uid: container.and_then(|it| it.pod_uid.clone()).unwrap_or_default(),
        }
    }
}

fn of_card(card: &Card, container: &str) -> Row {
    Row {
        namespace: labels::name(&card.namespace),
        pod: labels::name(&card.name),
        container: labels::name(container),
        cgroup: String::new(),
    }
}

fn whose_of_card(card: &Card, container: &str) -> Whose {
    Whose {
        namespace: labels::name(&card.namespace),
        workload_kind: labels::name(&card.workload_kind),
        workload: labels::name(&card.workload),
        container: labels::name(container),
        ci_project: labels::name(&card.ci.project),
        ci_job: labels::name(&card.ci.job),
        ci_stage: labels::name(&card.ci.stage),
    }
}

/// What is known by the path, and by what its processes told: a number in a name would make a total of its own for each process.
fn of_path(found: &Found, ci: Whose) -> (Row, Whose) {
    let (name, lasting) = match &found.name {
        Name::Container(container) => (container.short_id().to_string(), String::new()),
        Name::Unit(name) if name.ends_with(".service") => (name.clone(), name.clone()),
        Name::Unit(name) | Name::Plain(name) => (name.clone(), labels::lasting(name)),
        Name::Pod { .. } => Default::default(),
    };
    let row = Row { container: labels::name(&name), cgroup: labels::path(&found.path), ..Row::default() };
    (row, Whose { container: labels::name(&lasting), ..ci })
}
