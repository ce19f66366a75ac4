//! What boards ask, with nothing left that only Grafana knows: for whoever asks a Prometheus the same.

use super::model::{Dashboard, Panel, Values};
use crate::names;
use promql_parser::parser::{self, Expr};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What stands for what Grafana fills in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitution {
    /// For `$__rate_interval`: at least four times as long as between two scrapes.
    pub rate_interval: String,
    /// For `$__range`: the time that is looked at.
    pub range: String,
    /// Values of variables as regular expressions; a variable that is not here stands for all.
    pub variables: BTreeMap<String, String>,
}

impl Default for Substitution {
    fn default() -> Substitution {
        Substitution { rate_interval: "2m".to_string(), range: "5m".to_string(), variables: BTreeMap::new() }
    }
}

/// One query of one panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Query {
    /// The board's uid.
    pub board: &'static str,
    /// The panel's title.
    pub panel: &'static str,
    /// PromQL.
    pub expr: String,
    /// What has to be there for an answer. Parts that are scraped: `agent`, `service`, `controller`, `kubernetes` (a cluster, as
    /// OpenCost, kube-state-metrics or an agent on a node of it tells). What the agent has to see: `limits` and `requests` of containers, `psi`, `heap` of a Node.js, `ci` (a build of a
    /// CI). What the service has to know: `builds`, `people` who are there, `reservations`, `projections` that have come due.
    pub needs: BTreeSet<&'static str>,
}

impl Substitution {
    /// A query of this board with all filled in.
    pub fn fill(&self, board: &Dashboard, expr: &str) -> String {
        let mut text = expr.replace("$__rate_interval", &self.rate_interval).replace("$__range", &self.range);
        for variable in &board.variables {
            if matches!(variable.values, Values::Sources) {
                continue;
            }
            let value = self.variables.get(variable.name).map_or(".*", String::as_str);
            text = text.replace(&format!("${}", variable.name), value);
        }
        text
    }
}

impl Dashboard {
    /// All queries of all panels, filled in.
    pub fn queries(&self, substitution: &Substitution) -> Vec<Query> {
        let of = |panel: &Panel| {
            let ask = |expr: &str| {
                let expr = substitution.fill(self, expr);
                let needs = needs(&expr);
                Query { board: self.uid, panel: panel.title, expr, needs }
            };
            panel.targets.iter().map(|target| ask(&target.expr)).collect::<Vec<_>>()
        };
        self.panels().flat_map(of).collect()
    }
}

/// What has to be there for the series of a query.
fn needs(expr: &str) -> BTreeSet<&'static str> {
    let Ok(parsed) = parser::parse(expr) else { return BTreeSet::new() };
    let mut all = BTreeSet::new();
    series(&parsed, &mut |name| all.extend(shown_by(name)));
    if expr.contains("ci_job!=\"\"") {
        all.insert("ci");
    }
    all
}

fn shown_by(series: &str) -> &'static [&'static str] {
    let starts = |with: &str| series.starts_with(with);
    match series {
        names::NODE_COST => &["kubernetes"],
        names::ROLE_COST => &["agent", "service", "people"],
        names::LIMIT | names::USED | names::WORKING_SET_USED => &["agent", "limits"],
        names::HEAP_USED => &["agent", "heap"],
        names::PARTICIPANT_EACH | names::PREDICTED | names::OBSERVED | names::PREDICTION_ERROR => {
            &["service", "people"]
        }
        names::REQUEST
        | names::NAMESPACE_USED
        | names::NAMESPACE_REQUESTED
        | names::NAMESPACE_EFFICIENCY
        | names::CLUSTER_USED
        | names::CLUSTER_REQUESTED
        | names::CLUSTER_EFFICIENCY
        | names::CLUSTER_WASTE => &["agent", "requests"],
        "plimsoll_capacity_observed_pods" => &["service", "people"],
        "plimsoll_capacity_scaling_failing" => &["service", "kubernetes"],
        "plimsoll_capacity_decisions_total" => &["service", "reservations"],
        _ if starts("role:") => &["service", "people"],
        _ if starts("hyperstudy_experiment_") => &["service", "reservations"],
        _ if starts("plimsoll_capacity_projection_") => &["service", "projections"],
        _ if starts("plimsoll_capacity_") => &["service"],
        _ if starts("plimsoll_build_") => &["service", "builds"],
        _ if starts("plimsoll_controller_") => &["controller"],
        _ if starts("plimsoll_container_memory_pressure_") => &["agent", "psi"],
        _ if starts("plimsoll_container_nodejs_") => &["agent", "heap"],
        _ => &["agent"],
    }
}

/// Goes through the names of all series of a query.
fn series(expr: &Expr, see: &mut dyn FnMut(&str)) {
    match expr {
        Expr::VectorSelector(of) => see(of.name.as_deref().unwrap_or_default()),
        Expr::MatrixSelector(of) => see(of.vs.name.as_deref().unwrap_or_default()),
        Expr::Aggregate(of) => series(&of.expr, see),
        Expr::Unary(of) => series(&of.expr, see),
        Expr::Binary(of) => {
            series(&of.lhs, see);
            series(&of.rhs, see);
        }
        Expr::Paren(of) => series(&of.expr, see),
        Expr::Subquery(of) => series(&of.expr, see),
        Expr::Call(of) => of.args.args.iter().for_each(|it| series(it, see)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}
