//! Knobs: the environment a setting becomes, each set only where the user has not set it.

use serde::{Deserialize, Serialize};

/// One thing we set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knob {
    /// Environment variable.
    pub name: String,
    /// Its whole value.
    pub value: String,
    /// Why, in a few words.
    pub reason: String,
}
