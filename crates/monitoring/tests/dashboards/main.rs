//! All boards: the 17 rules of Grafana's dashboard-linter, what holds beside them, and a real Prometheus engine's answer to every query.

mod answers;
mod boards;
mod files;
mod linter;
mod rules;

use plimsoll_monitoring::dashboards::{self, Dashboard};
use plimsoll_monitoring::settings::Settings;
use promql_parser::parser::Expr;

fn all() -> Vec<Dashboard> {
    dashboards::all(&Settings::default()).unwrap()
}

/// Goes through a query, each part after those it is in.
fn walk<'a>(expr: &'a Expr, path: &mut Vec<&'a Expr>, see: &mut dyn FnMut(&'a Expr, &[&'a Expr])) {
    see(expr, path);
    path.push(expr);
    match expr {
        Expr::Aggregate(of) => {
            walk(&of.expr, path, see);
            if let Some(of) = &of.param {
                walk(of, path, see);
            }
        }
        Expr::Unary(of) => walk(&of.expr, path, see),
        Expr::Binary(of) => {
            walk(&of.lhs, path, see);
            walk(&of.rhs, path, see);
        }
        Expr::Paren(of) => walk(&of.expr, path, see),
        Expr::Subquery(of) => walk(&of.expr, path, see),
        Expr::Call(of) => of.args.args.iter().for_each(|it| walk(it, path, see)),
        _ => {}
    }
    path.pop();
}
