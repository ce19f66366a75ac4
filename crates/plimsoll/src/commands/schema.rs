//! `plimsoll schema`: JSON Schema of what is read and written.

use super::CommandError;
use super::form::json;
use crate::config::ConfigFile;
use crate::render::report::RunReport;
use clap::{Args, ValueEnum};
use plimsoll_core::report::Report;
use std::io::Write;

/// `plimsoll schema`
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    of: Of,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    /// plimsoll.yaml
    Config,
    /// What run --report writes
    Report,
    /// What report -o json writes
    PeriodReport,
}

/// Prints the schema.
pub fn run(args: &SchemaArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    Ok(out.write_all(text(args.of)?.as_bytes())?)
}

fn text(of: Of) -> Result<String, CommandError> {
    let schema = match of {
        Of::Config => schemars::schema_for!(ConfigFile),
        Of::Report => schemars::schema_for!(RunReport),
        Of::PeriodReport => schemars::schema_for!(Report),
    };
    json(&schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// `UPDATE_GOLDEN=1 cargo test` rewrites the files.
    #[test]
    fn the_shipped_files_are_up_to_date() {
        for (of, name) in [
            (Of::Config, "plimsoll.schema.json"),
            (Of::Report, "report.schema.json"),
            (Of::PeriodReport, "period-report.schema.json"),
        ] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema").join(name);
            let text = text(of).unwrap();
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                std::fs::write(&path, &text).unwrap();
            }
            let shipped = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(shipped == text, "{name} is old: run UPDATE_GOLDEN=1 cargo test");
        }
    }
}
