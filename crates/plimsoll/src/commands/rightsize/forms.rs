//! The report as a table, as Markdown, CSV, JSON, YAML and as a page.

use super::report::{ContainerReport, RightsizeReport, Totals};
use super::{Form, html};
use crate::commands::CommandError;
use crate::commands::form::{self, json};
use crate::render::table::table;
use plimsoll_core::size::human;
use std::fmt::Write;

/// Skipped containers shown one by one; the rest is in the other forms.
const SKIPPED_SHOWN: usize = 10;

pub(super) fn text(form: Form, report: &RightsizeReport) -> Result<String, CommandError> {
    match form {
        Form::Table => Ok(plain(report, false)),
        Form::Wide => Ok(plain(report, true)),
        Form::Json => json(report),
        Form::Yaml => form::Form::Yaml.text(report, |_| String::new()),
        Form::Csv => csv(report),
        Form::Markdown => Ok(markdown(report)),
        Form::Html => Ok(html::page(report)),
    }
}

/// `shop/web`, and the container where it is called something else.
pub(super) fn component(one: &ContainerReport) -> String {
    let workload = if one.namespace.is_empty() {
        one.workload.clone()
    } else {
        format!("{}/{}", one.namespace, one.workload)
    };
    if one.container == one.workload { workload } else { format!("{workload}/{}", one.container) }
}

/// Request and limit, as `512 MiB / 1.0 GiB`.
pub(super) fn pair(request: Option<u64>, limit: Option<u64>) -> String {
    let size = |bytes: Option<u64>| bytes.map_or("none".to_string(), human);
    format!("{} / {}", size(request), size(limit))
}

/// As `-50 %`.
pub(super) fn change(ratio: Option<f64>) -> String {
    ratio.map_or(String::new(), |ratio| match (ratio * 100.0).round() {
        0.0 => "0 %".to_string(),
        percent => format!("{percent:+} %"),
    })
}

fn head() -> Vec<String> {
    ["component", "pods", "request / limit", "recommended", "request", "limit", "confidence"]
        .map(String::from)
        .to_vec()
}

fn row(one: &ContainerReport) -> Vec<String> {
    vec![
        component(one),
        one.pods.to_string(),
        pair(one.request_bytes, one.limit_bytes),
        pair(Some(one.recommended_request_bytes), Some(one.recommended_limit_bytes)),
        change(one.request_change_ratio),
        change(one.limit_change_ratio),
        one.confidence.to_string(),
    ]
}

fn plain(report: &RightsizeReport, is_wide: bool) -> String {
    let mut rows = vec![head()];
    rows.extend(report.containers.iter().map(row));
    let mut text = table(&rows);
    if is_wide {
        for one in &report.containers {
            let _ = write!(
                text,
                "\n{}\n  limit:   {}\n  request: {}\n",
                component(one),
                one.limit_reason,
                one.request_reason
            );
        }
    }
    let warned =
        report.containers.iter().flat_map(|one| one.warnings.iter().map(move |warning| (one, warning)));
    for (number, (one, warning)) in warned.enumerate() {
        let _ = writeln!(text, "{}{}: {warning}", if number == 0 { "\n" } else { "" }, component(one));
    }
    let _ = write!(text, "\n{}", totals(&report.totals).join("\n"));
    text.push('\n');
    if !report.skipped.is_empty() {
        let _ = write!(text, "\n{} skipped:\n", report.skipped.len());
        for one in report.skipped.iter().take(SKIPPED_SHOWN) {
            let _ = writeln!(text, "  {}/{}/{}: {}", one.namespace, one.workload, one.container, one.reason);
        }
        if report.skipped.len() > SKIPPED_SHOWN {
            let _ = writeln!(text, "  and {} more; see --output json", report.skipped.len() - SKIPPED_SHOWN);
        }
    }
    for remark in &report.remarks {
        let _ = write!(text, "\n{remark}\n");
    }
    if let Some(cost) = cost(report) {
        let _ = write!(text, "\n{cost}\n");
    }
    text
}

/// What it all comes to, in lines.
pub(super) fn totals(totals: &Totals) -> Vec<String> {
    let percent = |ratio: Option<f64>| {
        ratio.map_or("nothing is requested".into(), |ratio| format!("{:.0} % used", ratio * 100.0))
    };
    let mut lines = vec![format!(
        "requested now {} ({}), recommended {} ({}){}",
        human(totals.request_bytes),
        percent(totals.used_ratio),
        human(totals.recommended_request_bytes),
        percent(totals.recommended_used_ratio),
        totals.request_change_ratio.map_or(String::new(), |ratio| format!(": {}", change(Some(ratio)))),
    )];
    if let Some(saved) = totals.saved_per_month {
        lines.push(format!("that is {saved:.2} less a month, once nodes go with it"));
    }
    lines
}

/// What the history cost whoever served it.
pub(super) fn cost(report: &RightsizeReport) -> Option<String> {
    let cost = report.cost.as_ref()?;
    Some(format!(
        "read by {}: {} requests, {}, {:.1} million samples in {:.1} s",
        cost.way,
        cost.requests,
        human(cost.bytes),
        cost.samples as f64 / 1e6,
        cost.seconds
    ))
}

fn markdown(report: &RightsizeReport) -> String {
    let line = |cells: &[String]| {
        format!("| {} |\n", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
    };
    let mut columns = head();
    columns.push("why".into());
    let mut text = line(&columns) + &line(&vec!["---".to_string(); columns.len()]);
    for one in &report.containers {
        let mut cells = row(one);
        cells.push(
            std::iter::once(&one.limit_reason).chain(&one.warnings).cloned().collect::<Vec<_>>().join("; "),
        );
        text += &line(&cells);
    }
    let _ = write!(text, "\n{}\n", totals(&report.totals).join("\n"));
    text
}

fn csv(report: &RightsizeReport) -> Result<String, CommandError> {
    let fault = |error: csv::Error| CommandError::Form(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record([
            "namespace",
            "kind",
            "workload",
            "container",
            "pods",
            "request_bytes",
            "limit_bytes",
            "recommended_request_bytes",
            "recommended_limit_bytes",
            "confidence",
            "request_reason",
            "limit_reason",
        ])
        .map_err(fault)?;
    for one in &report.containers {
        let number = |bytes: Option<u64>| bytes.map_or(String::new(), |bytes| bytes.to_string());
        let [pods, request, limit, to_request, to_limit] = [
            one.pods.to_string(),
            number(one.request_bytes),
            number(one.limit_bytes),
            one.recommended_request_bytes.to_string(),
            one.recommended_limit_bytes.to_string(),
        ];
        let names = [
            &one.namespace,
            &one.kind,
            &one.workload,
            &one.container,
            &pods,
            &request,
            &limit,
            &to_request,
            &to_limit,
        ];
        let reasons = [one.confidence, one.request_reason.as_str(), one.limit_reason.as_str()];
        writer.write_record(names.iter().map(|name| name.as_str()).chain(reasons)).map_err(fault)?;
    }
    let bytes = writer.into_inner().map_err(|error| CommandError::Form(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::patches::tests::{container, report};
    use super::super::report::{CostReport, DaysReport, Skipped};
    use super::*;

    fn sample() -> RightsizeReport {
        let mut leaks = container("shop/Deployment/web/web", (Some(512), Some(1024)), (400, 690));
        leaks.days_to_limit = Some(DaysReport { days: 12.5, earliest: 9.0, latest: None });
        leaks.warnings = vec!["leaks 12 MiB a day <script>|".into()];
        leaks.peak_bytes = Some(600 << 20);
        let skipped = |number: u32| Skipped {
            namespace: "shop".into(),
            kind: "Deployment".into(),
            workload: format!("new-{number}"),
            container: "app".into(),
            reason: "only 3 hours of history, and no container like it to learn from".into(),
        };
        RightsizeReport {
            totals: Totals {
                containers: 2,
                pods: 4,
                request_bytes: 1 << 30,
                recommended_request_bytes: 928 << 20,
                request_change_ratio: Some(-0.22),
                used_bytes: 600 << 20,
                used_ratio: Some(0.5),
                recommended_used_ratio: Some(0.65),
                saved_per_month: Some(12.345),
            },
            skipped: (0..12).map(skipped).collect(),
            remarks: vec!["kube_pod_owner is not there for namespace shop".into()],
            cost: Some(CostReport {
                way: "remote read",
                requests: 14,
                bytes: 3 << 20,
                samples: 1_234_567,
                seconds: 0.25,
            }),
            ..report(vec![leaks, container("shop/CronJob/nightly/report", (None, None), (128, 256))])
        }
    }

    #[test]
    fn golden() {
        for (name, form) in [
            ("wide", Form::Wide),
            ("markdown", Form::Markdown),
            ("csv", Form::Csv),
            ("html", Form::Html),
            ("json", Form::Json),
        ] {
            insta::assert_snapshot!(name, text(form, &sample()).unwrap());
        }
    }

    #[test]
    fn changes() {
        assert_eq!([Some(-0.504), Some(0.2), Some(0.001), None].map(change), ["-50 %", "+20 %", "0 %", ""]);
    }
}
