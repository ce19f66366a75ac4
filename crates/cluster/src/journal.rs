//! Journals of plans, in the cluster itself: whoever may change it can put it back, from any machine.
//!
//! A plan is a ConfigMap in the namespace [`HOME`](crate::kinds::HOME) with two texts: what it is, and how far it has come. Each
//! write names the version it follows, so that of two writers one is told.

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
/// An object of etcd may have 1.5 MiB; the API server lets a ConfigMap have 1 MiB.
const TEXT_MAX_BYTES: usize = 1_000_000;
/// Journals that are read at the most.
const LIST_MAX: u32 = 500;

/// The journal of one plan.
#[derive(Debug, Clone)]
pub struct Journal {
    api: Api<ConfigMap>,
    id: String,
    /// Of the last write; `None` before the first.
    version: Option<String>,
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
            // As random as std is.
            writer: format!("{:016x}", RandomState::new().build_hasher().finish()),
        }
    }

    /// Of a plan that was begun, and its text.
    pub async fn open(client: &Client, id: &str) -> Result<Option<(Journal, String)>, ClusterError> {
        let mut journal = Journal::new(client, id);
        let found = journal.api.get_opt(&journal.name()).await;
        let found = found.map_err(|error| ClusterError::of(&format!("journal of plan {id}"), error))?;
        Ok(found.and_then(|map| {
            journal.version = map.resource_version();
            text(&map).map(|text| (journal, text))
        }))
    }

    /// Writes how far it has come. After a write that came through and was not answered it goes on from that; what somebody
    /// else has written since stays.
    pub async fn write(&mut self, text: &str) -> Result<(), ClusterError> {
        let what = format!("journal of plan {}", self.id);
        if self.try_write(&what, text).await? {
            return Ok(());
        }
        let there = self.api.get_opt(&self.name()).await.map_err(|error| ClusterError::of(&what, error))?;
        let field = |map: &ConfigMap, key: &str| map.data.as_ref().and_then(|data| data.get(key).cloned());
        if let Some(map) = there.filter(|map| field(map, WRITER).as_deref() == Some(&self.writer)) {
            self.version = map.resource_version();
            if field(&map, TEXT).as_deref() == Some(text) || self.try_write(&what, text).await? {
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
            data: Some(BTreeMap::from([(TEXT.into(), text.into()), (WRITER.into(), self.writer.clone())])),
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

/// The ids and texts of all journals, by id.
pub async fn all(client: &Client) -> Result<Vec<(String, String)>, ClusterError> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), HOME);
    let params = ListParams::default().labels(LABEL).limit(LIST_MAX);
    let maps = api.list(&params).await.map_err(|error| ClusterError::of("journals of plans", error))?;
    let of = |map: &ConfigMap| Some((map.labels().get(LABEL)?.clone(), text(map)?));
    let mut all: Vec<(String, String)> = maps.iter().filter_map(of).collect();
    all.sort();
    Ok(all)
}

/// Makes the namespace for them, where it is not there.
pub async fn home(client: &Client) -> Result<(), ClusterError> {
    let api: Api<Namespace> = Api::all(client.clone());
    let what = format!("namespace {HOME}");
    if api.get_opt(HOME).await.map_err(|error| ClusterError::of(&what, error))?.is_some() {
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

fn text(map: &ConfigMap) -> Option<String> {
    map.data.as_ref()?.get(TEXT).cloned()
}
