//! `plimsoll render dashboards`: boards as JSON, as ConfigMaps, what provisions a folder of them, and all that they ask.

use super::{Common, Files};
use crate::commands::CommandError;
use clap::{Args, ValueEnum};
use plimsoll_monitoring::dashboards::{self, Substitution};
use plimsoll_monitoring::settings::Settings;

/// `plimsoll render dashboards`
#[derive(Debug, Args)]
pub(super) struct BoardsArgs {
    /// JSON of each board (needs --out), ConfigMaps for Grafana's sidecar, or what provisions a folder of boards
    #[arg(long, value_enum, default_value_t = BoardsForm::Json)]
    format: BoardsForm,
    /// Print what each panel asks instead, as a line of JSON each, with everything filled in that Grafana fills in
    #[arg(long, conflicts_with_all = ["format", "out"])]
    queries: bool,
    /// With --queries, the time that is looked at, as PromQL has it
    #[arg(long, value_name = "DURATION", default_value = "5m", requires = "queries")]
    range: String,
    /// With --queries, what a rate is taken over: four times what is between two scrapes
    #[arg(long, value_name = "DURATION", default_value = "2m", requires = "queries")]
    rate_interval: String,
    /// With --format provisioning, where Grafana finds the boards' files
    #[arg(long, value_name = "DIR", default_value = "/var/lib/grafana/dashboards/plimsoll")]
    path: String,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BoardsForm {
    /// As Grafana imports it, and what its linter reads beside it
    Json,
    /// A ConfigMap each
    ConfigMap,
    /// For Grafana's provisioning/dashboards
    Provisioning,
}

/// The files, or the one text, that is asked for.
pub(super) fn files(args: &BoardsArgs, settings: &Settings) -> Result<Files, CommandError> {
    let boards = dashboards::all(settings).map_err(|error| CommandError::Form(error.to_string()))?;
    if args.queries {
        let substitution = Substitution {
            range: args.range.clone(),
            rate_interval: args.rate_interval.clone(),
            ..Substitution::default()
        };
        let queries = boards.iter().flat_map(|board| board.queries(&substitution));
        let lines = queries.map(|query| serde_json::to_string(&query).map(|line| line + "\n"));
        let text: Result<String, serde_json::Error> = lines.collect();
        let text = text.map_err(|error| CommandError::Form(error.to_string()))?;
        return Ok(vec![("queries.jsonl".to_string(), text)]);
    }
    let common = &args.common;
    Ok(match args.format {
        BoardsForm::Json if common.out.is_none() => {
            return Err(CommandError::Form(
                "dashboards: a Grafana reads one board of each file\nwrite them to a folder with --out DIR, or take --format config-map"
                    .to_string(),
            ));
        }
        BoardsForm::Json => {
            let mut files: Files =
                boards.iter().map(|board| (dashboards::file_name(board), board.json())).collect();
            files.push((dashboards::LINT_FILE.to_string(), dashboards::lint()));
            files
        }
        BoardsForm::ConfigMap => boards
            .iter()
            .map(|board| {
                let text = dashboards::config_map(board, common.namespace.as_deref(), &common.labels);
                (format!("{}-dashboard.yaml", board.uid), text)
            })
            .collect(),
        BoardsForm::Provisioning => {
            vec![(dashboards::PROVIDER_FILE.to_string(), dashboards::provisioning(&args.path))]
        }
    })
}
