//! Recording rules: what alerts decide on and dashboards show, computed once.

mod aliases;
mod containers;
mod cost;
mod efficiency;
pub(crate) mod leak;
mod promql;
mod roles;

pub(crate) use promql::{Keys, braces, with};

use crate::rule::Group;
use crate::settings::Settings;

/// All groups, in the order they build on each other.
pub fn groups(settings: &Settings) -> Vec<Group> {
    vec![
        containers::group(settings),
        leak::group(settings),
        efficiency::group(settings),
        roles::group(settings),
        cost::group(settings),
        aliases::group(settings),
    ]
}

/// A group by its name.
fn group(settings: &Settings, name: &str, rules: Vec<crate::rule::Rule>) -> Group {
    Group { name: format!("plimsoll.{name}.rules"), interval: Some(settings.interval.clone()), rules }
}
