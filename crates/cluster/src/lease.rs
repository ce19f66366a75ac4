//! The lease: of all who would change a cluster one does, the others are told who.
//!
//! As client-go's leader election: a lease that somebody else holds is only taken when it was seen not to be renewed for as
//! long as it is valid, by our own clock, so that clocks need not agree.

use crate::ClusterError;
use crate::kinds::HOME;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease as Object, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use std::time::Duration;
use tokio::time::Instant;

/// Valid for so long after it was renewed.
pub const VALID: Duration = Duration::from_secs(15);
/// It has to be renewed so often.
pub const RENEW_EACH: Duration = Duration::from_secs(5);
const LOOK_EACH: Duration = Duration::from_secs(1);

/// A lease that is ours.
#[derive(Debug)]
pub struct Lease {
    api: Api<Object>,
    name: String,
    holder: String,
    renewed: Instant,
}

/// What came of asking for it.
#[derive(Debug)]
pub enum Asked {
    /// It is ours.
    Ours(Box<Lease>),
    /// It is theirs, of whoever is named.
    Held(String),
}

impl Lease {
    /// Asks for the lease of this name as `holder`. Where somebody holds it, this waits for at most as long as one is valid,
    /// to see whether they still renew it.
    pub async fn ask(client: &Client, name: &str, holder: &str) -> Result<Asked, ClusterError> {
        let api: Api<Object> = Api::namespaced(client.clone(), HOME);
        let lease = |renewed| Lease { api: api.clone(), name: name.into(), holder: holder.into(), renewed };
        let what = format!("lease {HOME}/{name}");
        let started = Instant::now();
        let mut first: Option<LeaseSpec> = None;
        loop {
            let now = Instant::now();
            let there = api.get_opt(name).await.map_err(|error| ClusterError::of(&what, error))?;
            let spec = there.as_ref().and_then(|there| there.spec.clone()).unwrap_or_default();
            let theirs = spec.holder_identity.clone().filter(|theirs| !theirs.is_empty() && theirs != holder);
            let is_stale = started.elapsed() >= VALID && first.as_ref() == Some(&spec);
            match theirs {
                Some(theirs) if !is_stale => {
                    if first.get_or_insert(spec.clone()) != &spec {
                        return Ok(Asked::Held(theirs));
                    }
                }
                _ => {
                    if write(&api, name, holder, there, &what).await? {
                        return Ok(Asked::Ours(Box::new(lease(now))));
                    }
                }
            }
            tokio::time::sleep(LOOK_EACH).await;
        }
    }

    /// For so long it is certainly ours.
    pub fn left(&self) -> Duration {
        VALID.saturating_sub(self.renewed.elapsed())
    }

    /// Does something that only the holder may do; what is not done while the lease is certainly ours is given up.
    pub async fn during<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, ClusterError>>,
    ) -> Result<T, ClusterError> {
        let late = |_| ClusterError::Failed {
            what: what.into(),
            message: "no answer while the lease is ours".into(),
        };
        tokio::time::timeout(self.left(), work).await.map_err(late)?
    }

    /// As whom it is held.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// Says that it is still ours. An error once it is not any more, or may not be: whoever gets it has to stop changing things.
    pub async fn renew(&mut self) -> Result<(), ClusterError> {
        if self.renewed.elapsed() < RENEW_EACH {
            return Ok(());
        }
        let what = format!("lease {HOME}/{}", self.name);
        let now = Instant::now();
        let lost = |message: String| ClusterError::Failed { what: what.clone(), message };
        match self.renewed_now(&what).await {
            Ok(Some(theirs)) => Err(lost(format!("it is held by {theirs} now"))),
            Ok(None) => {
                self.renewed = now;
                Ok(())
            }
            // It is still valid: the next time may do.
            Err(_) if self.renewed.elapsed() + RENEW_EACH < VALID => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn renewed_now(&self, what: &str) -> Result<Option<String>, ClusterError> {
        let there = self.api.get_opt(&self.name).await.map_err(|error| ClusterError::of(what, error))?;
        let holder = there.as_ref().and_then(|there| there.spec.as_ref()?.holder_identity.clone());
        if holder.as_deref() != Some(&self.holder) {
            return Ok(Some(holder.unwrap_or_else(|| "nobody".into())));
        }
        let ours = write(&self.api, &self.name, &self.holder, there, what).await?;
        Ok((!ours).then(|| "somebody else".into()))
    }

    /// Gives it back, so that the next need not wait.
    pub async fn release(self) -> Result<(), ClusterError> {
        let what = format!("lease {HOME}/{}", self.name);
        let there = self.api.get_opt(&self.name).await.map_err(|error| ClusterError::of(&what, error))?;
        let ours = there.filter(|there| {
            there.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()) == Some(&self.holder)
        });
        if ours.is_some() {
            write(&self.api, &self.name, "", ours, &what).await?;
        }
        Ok(())
    }
}

/// Writes the holder, unless the lease has changed since it was read.
async fn write(
    api: &Api<Object>,
    name: &str,
    holder: &str,
    there: Option<Object>,
    what: &str,
) -> Result<bool, ClusterError> {
    let now = MicroTime(Timestamp::now());
    let before = there.as_ref().and_then(|there| there.spec.clone()).unwrap_or_default();
    let changes = before.holder_identity.as_deref() != Some(holder);
    let spec = LeaseSpec {
        holder_identity: Some(holder.into()),
        lease_duration_seconds: Some(VALID.as_secs() as i32),
        acquire_time: if changes { Some(now.clone()) } else { before.acquire_time },
        renew_time: Some(now),
        lease_transitions: Some(before.lease_transitions.unwrap_or(0) + i32::from(changes)),
        ..LeaseSpec::default()
    };
    let version = there.as_ref().and_then(|there| there.metadata.resource_version.clone());
    let metadata = ObjectMeta {
        name: Some(name.into()),
        namespace: Some(HOME.into()),
        resource_version: version,
        ..ObjectMeta::default()
    };
    let object = Object { metadata, spec: Some(spec) };
    let written = match there {
        Some(_) => api.replace(name, &PostParams::default(), &object).await,
        None => api.create(&PostParams::default(), &object).await,
    };
    match written {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(ClusterError::of(what, error)),
    }
}
