//! Texts that are too large for one object, and have to outlive whoever wrote them: compressed, in numbered ConfigMaps.

use crate::ClusterError;
use crate::kinds::{FIELD_MANAGER, HOME};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, ObjectMeta, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::io::{Read, Write};

const LABEL: &str = "plimsoll.dev/pieces";
const KEY: &str = "zlib";
/// An object of etcd may have 1.5 MiB; the API server lets a ConfigMap have 1 MiB.
const PIECE_MAX_BYTES: usize = 900_000;
/// What a piece may be once it is read, in bytes: a small one must not fill our memory.
const TEXT_MAX_BYTES: u64 = 64 << 20;
/// Pieces of one name at the most.
const PIECES_MAX: u32 = 500;

/// All pieces of one name.
#[derive(Debug, Clone)]
pub struct Pieces {
    api: Api<ConfigMap>,
    name: String,
    /// Of what was written last, by number, a hash: the same is not written again.
    written: BTreeMap<usize, u64>,
}

impl Pieces {
    /// Those of this name.
    pub fn new(client: &Client, name: &str) -> Pieces {
        Pieces { api: Api::namespaced(client.clone(), HOME), name: name.into(), written: BTreeMap::new() }
    }

    /// Reads all, by number. What cannot be read is left out.
    pub async fn read(&self) -> Result<BTreeMap<usize, Vec<u8>>, ClusterError> {
        let params = ListParams::default().labels(&format!("{LABEL}={}", self.name)).limit(PIECES_MAX);
        let maps = self.api.list(&params).await.map_err(|error| ClusterError::of(&self.what(), error))?;
        Ok(maps.iter().filter_map(|map| Some((self.number(map)?, text(map)?))).collect())
    }

    /// Writes one; whoever wrote it before is overwritten.
    pub async fn write(&mut self, number: usize, text: &[u8]) -> Result<(), ClusterError> {
        let mut hasher = DefaultHasher::new();
        hasher.write(text);
        let hash = hasher.finish();
        if self.written.get(&number) == Some(&hash) {
            return Ok(());
        }
        let what = self.what();
        let failed = |message: String| ClusterError::Failed { what: what.clone(), message };
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(text).and_then(|()| encoder.finish());
        let packed = packed.map_err(|error| failed(error.to_string()))?;
        if packed.len() > PIECE_MAX_BYTES {
            return Err(failed(format!("{} bytes are more than an object can hold", packed.len())));
        }
        let map = ConfigMap {
            metadata: ObjectMeta {
                name: Some(format!("{}-{number}", self.name)),
                namespace: Some(HOME.into()),
                labels: Some(BTreeMap::from([(LABEL.into(), self.name.clone())])),
                ..ObjectMeta::default()
            },
            binary_data: Some(BTreeMap::from([(KEY.into(), ByteString(packed))])),
            ..ConfigMap::default()
        };
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let name = map.name_any();
        let applied = self.api.patch(&name, &params, &Patch::Apply(&map)).await;
        applied.map_err(|error| ClusterError::of(&what, error))?;
        self.written.insert(number, hash);
        Ok(())
    }

    /// Writes this into those from this number on: nobody needs the right to delete for what is a few bytes.
    pub async fn trim(&mut self, from: usize, text: &[u8]) -> Result<(), ClusterError> {
        let numbers: Vec<usize> = self.read().await?.range(from..).map(|(number, _)| *number).collect();
        for number in numbers {
            self.write(number, text).await?;
        }
        Ok(())
    }

    fn number(&self, map: &ConfigMap) -> Option<usize> {
        map.name_any().strip_prefix(&self.name)?.strip_prefix('-')?.parse().ok()
    }

    fn what(&self) -> String {
        format!("config maps {HOME}/{}-*", self.name)
    }
}

fn text(map: &ConfigMap) -> Option<Vec<u8>> {
    let packed = &map.binary_data.as_ref()?.get(KEY)?.0;
    let mut text = Vec::new();
    ZlibDecoder::new(packed.as_slice()).take(TEXT_MAX_BYTES).read_to_end(&mut text).ok()?;
    Some(text)
}
