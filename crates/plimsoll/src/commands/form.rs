//! The forms an answer can be had in: a table for people, JSON and YAML for programs.

use super::CommandError;
use clap::ValueEnum;
use serde::Serialize;

/// `--output`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For both.
    Yaml,
}

impl Form {
    /// The answer in this form, with a newline at its end.
    pub fn text<T: Serialize>(
        self,
        answer: &T,
        table: impl FnOnce(&T) -> String,
    ) -> Result<String, CommandError> {
        match self {
            Form::Table => Ok(table(answer)),
            Form::Json => json(answer),
            Form::Yaml => {
                serde_saphyr::to_string(answer).map_err(|error| CommandError::Form(error.to_string()))
            }
        }
    }
}

/// The answer as JSON, with a newline at its end.
pub fn json<T: Serialize>(answer: &T) -> Result<String, CommandError> {
    serde_json::to_string_pretty(answer)
        .map(|text| text + "\n")
        .map_err(|error| CommandError::Form(error.to_string()))
}
