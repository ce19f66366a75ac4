//! Events of workloads, as `kubectl describe` and `kubectl events` show them.

use crate::ClusterError;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use plimsoll_core::controller::event;
use plimsoll_core::inventory::Inventory;

/// A note of an event may have so many bytes.
const NOTE_MAX_BYTES: usize = 1024;

/// Writes events.
#[derive(Clone)]
pub struct Events(Recorder);

impl Events {
    /// As this instance of the controller.
    pub fn new(client: &Client, instance: &str) -> Events {
        let reporter =
            Reporter { controller: "plimsoll.dev/controller".into(), instance: Some(instance.into()) };
        Events(Recorder::new(client.clone(), reporter))
    }

    /// Says what happened to a workload, where it is still there.
    pub async fn say(&self, seen: &Inventory, event: &event::Event) -> Result<(), ClusterError> {
        let id = &event.workload;
        let Some(workload) = seen.workloads.get(id) else { return Ok(()) };
        let about = ObjectReference {
            api_version: Some("apps/v1".into()),
            kind: Some(format!("{:?}", id.kind)),
            namespace: Some(id.namespace.clone()),
            name: Some(id.name.clone()),
            uid: Some(workload.uid.clone()),
            ..ObjectReference::default()
        };
        let mut note = event.words.clone();
        while note.len() > NOTE_MAX_BYTES {
            note.pop();
        }
        let type_ = if event.reason.is_warning() { EventType::Warning } else { EventType::Normal };
        let event = Event {
            type_,
            reason: event.reason.name().into(),
            note: Some(note),
            action: "SetMemory".into(),
            secondary: None,
        };
        self.0
            .publish(&event, &about)
            .await
            .map_err(|error| ClusterError::of(&format!("event of {id}"), error))
    }
}
