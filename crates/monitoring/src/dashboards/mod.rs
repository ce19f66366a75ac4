//! Boards for a Grafana: what is on them is said in Rust, and written as the JSON that Grafana imports, provisions and has sidecars for.
//!
//! A panel that shows nothing has to say why (`absent`); what is not known is never shown as 0. Series are the recorded ones of
//! [`crate::names`] wherever there is one. All boards have the variables `datasource` and `cluster`, and are found from each other by
//! their tag.

mod boards;
mod form;
mod layout;
mod model;
mod query;
mod scope;

pub use form::{LINT_FILE, PROVIDER_FILE, config_map, file_name, lint, provisioning};
pub use layout::{COLUMNS, Place};
pub use model::{
    Colour, Column, Dashboard, EXCLUDED, Exclusion, Kind, LABELS_SHOWN, Link, Look, Panel, Row, TAG, Target,
    Threshold, Unit, Values, Variable,
};
pub use query::{Query, Substitution};

use crate::settings::{Settings, SettingsError};

/// All boards, in the order people are shown them.
pub fn all(settings: &Settings) -> Result<Vec<Dashboard>, SettingsError> {
    settings.check()?;
    let scope = scope::Scope::of(settings);
    Ok(vec![
        boards::memory::board(&scope),
        boards::capacity::board(&scope),
        boards::cost::board(&scope),
        boards::builds::board(&scope),
        boards::sizing::board(&scope),
    ])
}
