//! The four forms of one report, and that no name in it becomes markup.

use super::{ReportForm, shown};
use crate::render::summary::Style;
use plimsoll_core::capacity::booking::price::Money;
use plimsoll_core::report::{
    Counts, Finding, MoneyPart, PeriodPart, Report, SCHEMA, Section, Severity, SourcePart,
};
use proptest::prelude::*;

const PLAIN: Style = Style { color: false, width: usize::MAX };

fn finding(severity: Severity, subject: &str, what: &str, evidence: &str) -> Finding {
    Finding {
        severity,
        subject: subject.into(),
        what: what.into(),
        evidence: evidence.into(),
        next: "plimsoll rightsize --source http://prometheus:9090 -n shop -o wide".into(),
        bytes: None,
        per_month: None,
        kills: None,
    }
}

fn money(text: &str) -> Money {
    text.parse().expect("money")
}

fn sample(name: &str) -> Report {
    let grew = finding(
        Severity::Warning,
        "shop/web",
        "holds 600 MiB, 500 MiB in the period before: +20 %",
        "not reclaimable, 7 of 7 days of the period above the same day before; 14 MiB a day; highest 640 MiB, 62 % of its limit of 1.0 GiB",
    );
    let wasted = Finding {
        bytes: Some(4 << 30),
        per_month: Some(money("14.60")),
        next: "plimsoll plan --source http://prometheus:9090 -n shop --save plan.json".into(),
        ..finding(
            Severity::Info,
            "shop/api",
            "4.0 GiB of 8.0 GiB that 2 pods request",
            "50 % are above what nine days of ten need",
        )
    };
    let killed = Finding {
        kills: Some(3),
        next: format!("plimsoll diagnose '{name}' --store /store"),
        ..finding(
            Severity::Critical,
            &format!("job {name} of group/app"),
            "3 of 12 runs died of memory, the last one too, 1 died in the period before",
            "killed by the kernel, peak 1.9 GiB of 2.0 GiB",
        )
    };
    let unknown = vec!["builds: not asked; --store DIR".to_string()];
    let section = |findings: Vec<Finding>, more: usize| Section { findings, more, unknown: unknown.clone() };
    let source = |name: &'static str, asked: bool, from: &str, remarks: &[&str]| SourcePart {
        name,
        asked,
        from: from.into(),
        remarks: remarks.iter().map(|remark| remark.to_string()).collect(),
    };
    Report {
        schema: SCHEMA,
        period: PeriodPart {
            since: "2026-11-16T00:00:00Z".into(),
            until: "2026-11-23T00:00:00Z".into(),
            before_since: "2026-11-09T00:00:00Z".into(),
            seconds: 7 * 86_400,
        },
        sources: vec![
            source(
                "cluster",
                true,
                "http://prometheus:9090",
                &["kube_pod_owner is not there for namespace shop"],
            ),
            source("builds", false, "--store DIR", &[]),
            source("capacity", true, &format!("/store/{name}"), &[]),
        ],
        counts: Counts { critical: 1, warning: 1, info: 8 },
        grew: section(vec![grew], 0),
        wasted: section(vec![wasted], 7),
        killed: section(vec![killed], 0),
        change: section(Vec::new(), 0),
        money: Some(MoneyPart {
            currency: "USD".into(),
            gib_hour: money("0.005"),
            price_source: "--gib-hour-price".into(),
            requested_bytes: 10 << 30,
            per_month: money("36.50"),
            mean_per_month: Some(money("36.50")),
            before_per_month: Some(money("32.85")),
            saved_per_month: Some(money("-3.65")),
            possible_per_month: money("14.60"),
            needed_per_month: money("1.20"),
        }),
    }
}

#[test]
fn golden() {
    let hostile = "<b>`a|b` *c*\n@all";
    for (name, form, style) in [
        ("table", ReportForm::Table, Style { color: false, width: 72 }),
        ("markdown", ReportForm::Markdown, PLAIN),
        ("html", ReportForm::Html, PLAIN),
        ("json", ReportForm::Json, PLAIN),
    ] {
        insta::assert_snapshot!(name, shown(form, &sample(hostile), style).expect("a form"));
    }
}

#[test]
fn a_terminal_is_coloured_and_wrapped() {
    let text = shown(ReportForm::Table, &sample("build"), Style { color: true, width: 60 }).expect("text");
    assert!(text.contains("\u{1b}[1;31mcritical\u{1b}[0m  job build of group/app"), "{text}");
    let is_short =
        |line: &str| line.starts_with("  next: ") || line.contains('\u{1b}') || line.chars().count() <= 60;
    assert!(text.lines().all(is_short), "{text}");
    let wide = shown(ReportForm::Table, &sample("build"), PLAIN).expect("text");
    assert!(!wide.contains('\u{1b}') && wide.lines().count() < text.lines().count());
}

#[test]
fn without_a_cluster_there_is_no_money() {
    let mut report = sample("build");
    report.money = None;
    report.sources[0] =
        SourcePart { name: "cluster", asked: false, from: "--source URL".into(), remarks: Vec::new() };
    for form in [ReportForm::Table, ReportForm::Markdown, ReportForm::Html] {
        let text = shown(form, &report, PLAIN).expect("text");
        assert!(text.contains("cluster: not asked; --source URL") && !text.contains("0.00"), "{text}");
    }
}

proptest! {
    /// Whatever something is called, the page has the same tags, and the Markdown the same lines.
    #[test]
    fn no_name_becomes_markup(name in "[<>&\"'`*_#|@\\[\\]() a-z/!\\n]{0,20}") {
        let tags = |name: &str| {
            let page = shown(ReportForm::Html, &sample(name), PLAIN).expect("a page");
            (page.matches('<').count(), page.matches('>').count(), page.matches('"').count())
        };
        prop_assert_eq!(tags(&name), tags("x"));
        let lines = |name: &str| shown(ReportForm::Markdown, &sample(name), PLAIN).expect("text").lines().count();
        prop_assert_eq!(lines(&name), lines("x"));
    }
}

#[test]
fn pages_take_nothing_from_elsewhere() {
    let page = shown(ReportForm::Html, &sample("build"), PLAIN).expect("a page");
    for part in ["<script", "src=", "href", "url(", "@import", "<link"] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.contains("prefers-color-scheme:dark"));
}
