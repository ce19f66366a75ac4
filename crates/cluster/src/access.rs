//! The way to a cluster, as `kubectl` finds it: a kubeconfig's context, or the pod's own account.

use crate::weather::Weather;
use crate::{ClusterError, words};
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::{Deserialize, Serialize};
use std::hash::Hasher;
use std::path::PathBuf;
use std::time::Duration;
use tower::buffer::BufferLayer;
use tower::retry::RetryLayer;
use twox_hash::XxHash64;

/// An answer that takes longer has got lost; watches end themselves before.
const READ_TIMEOUT: Duration = Duration::from_secs(295);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests that may be on their way at the same time before more have to wait.
const REQUESTS_AT_ONCE: usize = 1024;

/// Which cluster, and as whom.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Instead of `$KUBECONFIG`, `~/.kube/config` or the pod's own account.
    pub kubeconfig: Option<PathBuf>,
    /// Instead of the kubeconfig's current one.
    pub context: Option<String>,
}

/// Which cluster it is, as far as the way to it tells: nothing is asked for that, so it takes no right. Two addresses of a
/// cluster are two; that of another one is never the same, as long as each has an authority of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// `https://HOST:PORT`, and a path where there is one.
    pub server: String,
    /// A hash of the certificates that the server's has to be of; `None` where those of the machine do.
    pub authority: Option<String>,
}

impl Access {
    /// Where it is.
    pub async fn address(&self) -> Result<Address, ClusterError> {
        let config = self.config().await?;
        let hash = |certificates: Vec<Vec<u8>>| {
            let mut hasher = XxHash64::with_seed(0);
            certificates.iter().for_each(|certificate| hasher.write(certificate));
            format!("{:016x}", hasher.finish())
        };
        let server = config.cluster_url.to_string().trim_end_matches('/').to_string();
        Ok(Address { server, authority: config.root_cert.map(hash) })
    }

    /// A client that speaks to it; nothing is asked yet.
    pub async fn client(&self) -> Result<Client, ClusterError> {
        let mut config = self.config().await?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        // It would wait for minutes, and keep to itself that a watch is out of sight.
        config.default_retry = false;
        let builder = ClientBuilder::try_from(config).map_err(|error| ClusterError::NoWay(words(&error)))?;
        let builder = builder.with_layer(&BufferLayer::new(REQUESTS_AT_ONCE));
        Ok(builder.with_layer(&RetryLayer::new(Weather::default())).build())
    }

    async fn config(&self) -> Result<Config, ClusterError> {
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        match &self.kubeconfig {
            Some(path) => {
                let of = |error| ClusterError::NoWay(format!("{}: {}", path.display(), words(&error)));
                let read = Kubeconfig::read_from(path).map_err(of)?;
                Config::from_custom_kubeconfig(read, &options).await.map_err(of)
            }
            None if self.context.is_some() => {
                let of = |error| ClusterError::NoWay(words(&error));
                Config::from_kubeconfig(&options).await.map_err(of)
            }
            None => Config::infer().await.map_err(|error| ClusterError::NoWay(words(&error))),
        }
    }
}
