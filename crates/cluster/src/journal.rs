//! Journals of plans, in the cluster itself: whoever may change it can put it back, from any machine.
//!
//! A plan is a ConfigMap in the namespace [`HOME`](crate::kinds::HOME) with a text: what it is, and how far it has come. Each
//! write names the version it follows, so that of two writers one is told; and it counts, so that of two copies the later one is
//! known.

use crate::ClusterError;
use crate::kinds::HOME;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{ListParams, ObjectMeta, PostParams};
use kube::{Api, Client, ResourceExt};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};

const LABEL: &str = "plimsoll.dev/plan";
const TEXT: &str = "journal";
/// Who wrote it: a write that came through and was not answered is known by that.
const WRITER: &str = "writer";
/// How many times it was written.
const REVISION: &str = "revision";
/// An object of etcd may have 1.5 MiB; the API server lets a ConfigMap have 1 MiB.
const TEXT_MAX_BYTES: usize = 1_000_000;
/// Journals that are read at a time,
const PAGE: u32 = 100;
/// and at the most: a few kilobytes each, as a rule.
const LIST_MAX: usize = 5_000;

/// A journal as it was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text {
    /// Of which plan.
    pub id: String,
    /// How many times it was written.
    pub revision: u64,
    /// What it says; empty where somebody took that out.
    pub text: String,
}

/// The journal of one plan.
#[derive(Debug, Clone)]
pub struct Journal {
    api: Api<ConfigMap>,
    id: String,
    /// Of the last write; `None` before the first.
    version: Option<String>,
    /// How many times it was written.
    revision: u64,
    /// Nobody else's.
    writer: String,
}

impl Journal {
    /// Of a plan that is about to be carried out.
    pub fn new(client: &Client, id: &str) -> Journal {
        Journal {
            api: Api::namespaced(client.clone(), HOME),
            id: id.into(),
            version: None,
            revision: 0,
            // As random as std is.
            writer: format!("{:016x}", RandomState::new().build_hasher().finish()),
        }
    }

    /// Of a plan that was begun, and its text, which is empty where somebody took it out.
    pub async fn open(client: &Client, id: &str) -> Result<Option<(Journal, String)>, ClusterError> {
        let mut journal = Journal::new(client, id);
        let found = journal.api.get_opt(&journal.name()).await;
        let found = found.map_err(|error| ClusterError::of(&format!("journal of plan {id}"), error))?;
        Ok(found.map(|map| {
            (journal.version, journal.revision) = (map.resource_version(), revision(&map));
            (journal, text(&map))
        }))
    }

    /// Of which plan.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many times it was written.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What is written next follows a copy that had been written so many times, where that is more.
    pub fn follow(&mut self, revision: u64) {
        self.revision = self.revision.max(revision);
    }

    /// Writes how far it has come. After a write that came through and was not answered it goes on from that; what somebody
    /// else has written since stays.
    pub async fn write(&mut self, text: &str) -> Result<(), ClusterError> {
        let what = format!("journal of plan {}", self.id);
        if self.try_write(&what, text).await? {
            return Ok(());
        }
        let there = self.api.get_opt(&self.name()).await.map_err(|error| ClusterError::of(&what, error))?;
        if let Some(map) = there.filter(|map| field(map, WRITER) == Some(self.writer.as_str())) {
            self.version = map.resource_version();
            self.follow(revision(&map));
            if field(&map, TEXT) == Some(text) || self.try_write(&what, text).await? {
                return Ok(());
            }
        }
        Err(ClusterError::Failed { what, message: "somebody else has written to it".into() })
    }

    /// Whether it was written; not where it is of another version.
    async fn try_write(&mut self, what: &str, text: &str) -> Result<bool, ClusterError> {
        let what = what.to_string();
        if text.len() > TEXT_MAX_BYTES {
            let message =
                format!("{} bytes are more than an object can hold\nplan by namespace (-n)", text.len());
            return Err(ClusterError::Failed { what, message });
        }
        let map = ConfigMap {
            metadata: ObjectMeta {
                name: Some(self.name()),
                namespace: Some(HOME.into()),
                labels: Some(BTreeMap::from([(LABEL.into(), self.id.clone())])),
                resource_version: self.version.clone(),
                ..ObjectMeta::default()
            },
            data: Some(BTreeMap::from([
                (TEXT.into(), text.into()),
                (WRITER.into(), self.writer.clone()),
                (REVISION.into(), (self.revision + 1).to_string()),
            ])),
            ..ConfigMap::default()
        };
        let params = PostParams::default();
        let written = match self.version {
            Some(_) => self.api.replace(&self.name(), &params, &map).await,
            None => self.api.create(&params, &map).await,
        };
        match written {
            Ok(map) => {
                self.version = map.resource_version();
                self.revision += 1;
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(ClusterError::of(&what, error)),
        }
    }

    fn name(&self) -> String {
        format!("plan-{}", self.id)
    }
}

/// All journals, by id.
pub async fn all(client: &Client) -> Result<Vec<Text>, ClusterError> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), HOME);
    let what = "journals of plans";
    let mut params = ListParams::default().labels(LABEL).limit(PAGE);
    let mut all = Vec::new();
    loop {
        let maps = api.list(&params).await.map_err(|error| ClusterError::of(what, error))?;
        all.extend(maps.items.iter().filter_map(|map| {
            Some(Text { id: map.labels().get(LABEL)?.clone(), revision: revision(map), text: text(map) })
        }));
        let next = maps.metadata.continue_.filter(|token| !token.is_empty());
        let Some(next) = next else { break };
        if all.len() >= LIST_MAX {
            let message = format!(
                "there are more than {LIST_MAX}\ndelete what nobody will put back any more: kubectl delete configmap -n {HOME} plan-ID"
            );
            return Err(ClusterError::Failed { what: what.into(), message });
        }
        params = params.continue_token(&next);
    }
    all.sort();
    Ok(all)
}

/// Makes the namespace for them, where it is not there.
pub async fn home(client: &Client) -> Result<(), ClusterError> {
    let api: Api<Namespace> = Api::all(client.clone());
    let what = format!("namespace {HOME}");
    let there = api.get_opt(HOME).await.map_err(|error| ClusterError::of(&what, error))?;
    if there.as_ref().is_some_and(|there| there.metadata.deletion_timestamp.is_some()) {
        let message = "it is being deleted\nwait until it is gone".into();
        return Err(ClusterError::Failed { what, message });
    }
    if there.is_some() {
        return Ok(());
    }
    let metadata = ObjectMeta { name: Some(HOME.into()), ..ObjectMeta::default() };
    let namespace = Namespace { metadata, ..Namespace::default() };
    match api.create(&PostParams::default(), &namespace).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        Err(error) => Err(ClusterError::of(&what, error)),
    }
}

fn text(map: &ConfigMap) -> String {
    field(map, TEXT).unwrap_or_default().to_string()
}

fn revision(map: &ConfigMap) -> u64 {
    field(map, REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn field<'a>(map: &'a ConfigMap, key: &str) -> Option<&'a str> {
    map.data.as_ref()?.get(key).map(String::as_str)
}
