//! `plimsoll render`: the files that a Prometheus, an Alertmanager and a Grafana read, made of the settings under `monitoring` in
//! plimsoll.yaml; and what a GitLab runner and its jobs read, made of what is remembered of jobs.

mod boards;
mod runner;

use super::{CommandError, whole_file};
use crate::config;
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use plimsoll_monitoring::settings::Settings;
use plimsoll_monitoring::{alertmanager, form, monitors};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  plimsoll render rules > plimsoll.rules.yaml && promtool check rules plimsoll.rules.yaml
  plimsoll render rules --format prometheus-rule --label release=kube-prometheus-stack | kubectl apply -f -
  plimsoll render alertmanager --webhook emergency=https://pager.example/hook > alertmanager.yml
  plimsoll render monitors --namespace plimsoll --label release=kube-prometheus-stack | kubectl apply -f -
  plimsoll render dashboards --out dashboards
  plimsoll render dashboards --format config-map --namespace monitoring | kubectl apply -f -
  plimsoll render dashboards --queries | jq -r .expr
  plimsoll render runner --store .plimsoll --values values.yaml --ci .gitlab-ci.yml --out .
  plimsoll render runner --values values.yaml --ci .gitlab-ci.yml --undo --out .";

/// `plimsoll render`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RenderArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Recording rules and alerts
    Rules {
        /// As Prometheus reads it, or as an object of the Prometheus operator
        #[arg(long, value_enum, default_value_t = RulesForm::Plain)]
        format: RulesForm,
        #[command(flatten)]
        common: Common,
    },
    /// Who is told of which alert, and which alerts mute which
    Alertmanager {
        /// As Alertmanager reads it, or as an object of the Prometheus operator
        #[arg(long, value_enum, default_value_t = AlertmanagerForm::Plain)]
        format: AlertmanagerForm,
        /// Where alerts of a tier are sent: emergency, critical, warning or info
        #[arg(long, value_name = "TIER=URL", value_parser = webhook)]
        webhook: Vec<(String, String)>,
        #[command(flatten)]
        common: Common,
    },
    /// How a Prometheus finds what Plimsoll shows
    Monitors {
        /// ServiceMonitors and a PodMonitor, or scrape_configs of what runs on this machine
        #[arg(long, value_enum, default_value_t = MonitorsForm::Operator)]
        format: MonitorsForm,
        #[command(flatten)]
        common: Common,
    },
    /// Five boards for a Grafana: memory, capacity, cost, builds, right-sizing
    Dashboards(boards::BoardsArgs),
    /// Values of GitLab Runner's chart and variables of jobs, from what is remembered of the jobs
    Runner(runner::RunnerArgs),
}

#[derive(Debug, Args)]
struct Common {
    /// Write files into this folder instead of printing them
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Configuration, `-` for stdin [default: plimsoll.yaml here or above, up to the repository's root]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Namespace of the objects
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// A label of the objects, which a selector of the operator wants
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RulesForm {
    /// For rule_files, and promtool
    Plain,
    /// PrometheusRule
    PrometheusRule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AlertmanagerForm {
    /// alertmanager.yml
    Plain,
    /// AlertmanagerConfig, for the alerts of its namespace
    AlertmanagerConfig,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MonitorsForm {
    /// ServiceMonitor and PodMonitor
    Operator,
    /// scrape_configs
    Plain,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_string(), value.to_string())),
        _ => Err("write it as NAME=VALUE".to_string()),
    }
}

fn webhook(text: &str) -> Result<(String, String), String> {
    let (tier, url) = label(text).map_err(|_| "write it as TIER=URL".to_string())?;
    if !alertmanager::RECEIVERS.contains(&tier.as_str()) {
        return Err(format!("'{tier}' is no tier\none of {}", alertmanager::RECEIVERS.join(", ")));
    }
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(format!("'{url}' is no address\nit begins with http:// or https://"));
    }
    Ok((tier, url))
}

/// A file, by its name.
type Files = Vec<(String, String)>;

/// Prints the files, or writes them.
pub fn run(args: &RenderArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let (folder, files) = match &args.what {
        What::Rules { format, common } => (&common.out, rules(*format, common, &common.settings()?)?),
        What::Alertmanager { format, webhook, common } => {
            (&common.out, vec![routes(*format, common, &common.settings()?, webhook)])
        }
        What::Monitors { format, common } => (&common.out, vec![ways(*format, common)]),
        What::Dashboards(args) => (&args.common.out, boards::files(args, &args.common.settings()?)?),
        What::Runner(args) => (&args.out, runner::files(args)?),
    };
    match folder {
        Some(folder) => write_all(folder, &files, out),
        None => {
            let texts: Vec<&str> = files.iter().map(|(_, text)| text.as_str()).collect();
            Ok(out.write_all(texts.join("---\n").as_bytes())?)
        }
    }
}

impl Common {
    fn settings(&self) -> Result<Settings, CommandError> {
        let folder = std::env::current_dir()?;
        Ok(config::load(self.config.as_deref(), &folder)?.monitoring)
    }
}

fn rules(format: RulesForm, common: &Common, settings: &Settings) -> Result<Files, CommandError> {
    let kinds = form::files(settings).map_err(|error| CommandError::Form(error.to_string()))?;
    Ok(match format {
        // Printed, they are one file: Prometheus reads one document of each.
        RulesForm::Plain if common.out.is_none() => {
            let all: Vec<_> = kinds.into_iter().flat_map(|(_, groups)| groups).collect();
            vec![("plimsoll.yaml".to_string(), form::plain(&all))]
        }
        RulesForm::Plain => kinds
            .iter()
            .map(|(kind, groups)| (format!("plimsoll-{kind}.yaml"), form::plain(groups)))
            .collect(),
        RulesForm::PrometheusRule => kinds
            .iter()
            .map(|(kind, groups)| {
                let name = format!("plimsoll-{kind}");
                let text = form::prometheus_rule(&name, common.namespace.as_deref(), &common.labels, groups);
                (format!("{name}.yaml"), text)
            })
            .collect(),
    })
}

fn routes(
    format: AlertmanagerForm,
    common: &Common,
    settings: &Settings,
    webhooks: &[(String, String)],
) -> (String, String) {
    let webhooks: BTreeMap<String, String> = webhooks.iter().cloned().collect();
    let text = match format {
        AlertmanagerForm::Plain => alertmanager::plain(settings, &webhooks),
        AlertmanagerForm::AlertmanagerConfig => {
            alertmanager::object(settings, common.namespace.as_deref(), &common.labels, &webhooks)
        }
    };
    ("alertmanager.yml".to_string(), text)
}

fn ways(format: MonitorsForm, common: &Common) -> (String, String) {
    match format {
        MonitorsForm::Operator => (
            "plimsoll-monitors.yaml".to_string(),
            monitors::objects(common.namespace.as_deref(), &common.labels),
        ),
        MonitorsForm::Plain => ("prometheus.yaml".to_string(), monitors::plain()),
    }
}

fn write_all(folder: &Path, files: &Files, out: &mut dyn Write) -> Result<(), CommandError> {
    std::fs::create_dir_all(folder).map_err(|error| whole_file::of(folder, error))?;
    for (name, text) in files {
        let path = folder.join(name);
        whole_file::write(&path, text)?;
        writeln!(out, "{}", path.display())?;
    }
    Ok(())
}
