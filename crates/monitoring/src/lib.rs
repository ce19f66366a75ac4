//! What a Prometheus computes and says of memory, an Alertmanager sends on, and a Grafana shows: all of it made here, as typed
//! Rust, and written as the files those three read.
//!
//! Nothing is read or asked: [`settings::Settings`] in, text out. Every query, those with people's own selectors in them too, is
//! parsed before it is handed out.

pub mod alertmanager;
pub mod alerts;
pub mod dashboards;
pub mod form;
pub mod monitors;
pub mod names;
pub mod recording;
pub mod rule;
pub mod settings;
