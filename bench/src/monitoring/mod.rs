//! `make run-monitoring`: a real Prometheus and Alertmanager, our agent, and two containers that are driven over 75, 85 and 95 % of their
//! limit and out of memory. Each alert goes pending, firing, routed, inhibited and resolved. Meanwhile there come a cluster whose sizes
//! our controller sets, and our service with an app that has people in it: then all that our boards ask has an answer.
//!
//! The rules are those that are rendered, at a faster pace: nobody wants to wait for them.

mod eater;
mod home;
mod hook;
mod kubelet;
mod pace;
mod panels;
mod service;
mod shop;
mod stage;
mod study;
mod timeline;
mod troubles;

use crate::Failure;
use eater::Eater;
use hook::Hook;
use plimsoll_probe::supervise::Signals;
use stage::Stage;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use timeline::{Became, Timeline};

/// Of each container.
const LIMIT_BYTES: u64 = 192 << 20;
/// An alert that takes longer does not come.
const WITHIN: Duration = Duration::from_secs(60);
/// What a container of a CI job says of itself.
const JOB: [(&str, &str); 3] =
    [("CI_PROJECT_PATH", "shop/web"), ("CI_JOB_NAME", "build"), ("CI_JOB_STAGE", "build")];
/// What leaks: so much of its limit at first, and so much more each second.
const LEAK: (f64, f64) = (0.25, 0.006);
/// How the service's container is called in alerts, and the job's.
const SERVICE_ALERT: &str = "HighMemoryUsage";
const BUILD_ALERT: &str = "BuildProcessHighMemory";

/// Shows it, then serves until Ctrl-C unless `once`.
pub fn run(plimsoll: &Path, once: bool) -> Result<ExitCode, Failure> {
    let hook = Hook::start()?;
    let (stage, coming) = Stage::set(plimsoll, &hook.url)?;
    println!(
        "Prometheus    {}\nAlertmanager  {}\nagent         {}\n",
        stage.prometheus.url, stage.alertmanager.url, stage.agent.url
    );
    // Stay, so that boards have something to show when the other two are gone.
    let mut at_rest = Eater::start("rest", LIMIT_BYTES, &JOB)?;
    at_rest.fill(0.4)?;
    let _node = Eater::node(plimsoll, LIMIT_BYTES)?;
    let mut leaking = Eater::start("leaking", LIMIT_BYTES, &[])?;
    leaking.fill(LEAK.0)?;
    leaking.leak(LEAK.1)?;
    let mut timeline = Timeline::new(&stage.prometheus.url, &stage.alertmanager.url, hook);
    drive(&mut timeline)?;
    let mut rest = coming.wait()?;
    troubles::befall(&mut timeline, &mut rest, leaking)?;
    println!("\nEach alert went its way.");
    println!(
        "\nservice       {}\ncontroller    {}\nan app        {}\n",
        rest.service.url(),
        rest.shop.controller.url,
        rest.service.study.app.url
    );
    panels::ask(plimsoll, &stage.prometheus.url)?;
    if !once {
        println!("\nIt goes on until Ctrl-C.");
        go_on()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One comes, grows and goes again and again, so that boards have something to show. A signal ends it, so that cgroups go, too.
fn go_on() -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    loop {
        let mut guest = Eater::start("guest", LIMIT_BYTES, &[])?;
        for share in [0.2, 0.35, 0.45, 0.6, 0.65] {
            guest.fill(share)?;
            for _ in 0..40 {
                if signals.take().is_some() {
                    return Ok(());
                }
                std::thread::sleep(Duration::from_millis(200));
            }
        }
    }
}

fn drive(timeline: &mut Timeline) -> Result<(), Failure> {
    let mut service = Eater::start("service", LIMIT_BYTES, &[])?;
    let mut build = Eater::start("job", LIMIT_BYTES, &JOB)?;
    let both = [SERVICE_ALERT, BUILD_ALERT];
    println!("A service and a CI job, each in a container of 192 MiB:\n");
    for (share, tier) in [(0.79, "warning"), (0.89, "critical"), (0.96, "emergency")] {
        println!("  both at {:.0} %", share * 100.0);
        service.fill(share)?;
        build.fill(share)?;
        let wanted = both.map(|alert| (alert, tier, Became::Firing));
        timeline.watch(&wanted, WITHIN)?;
        timeline.watch(&both.map(|alert| (alert, tier, Became::Routed(tier.to_string()))), WITHIN)?;
    }
    let muted = both.map(|alert| ["warning", "critical"].map(|tier| (alert, tier, Became::Inhibited)));
    timeline.watch(muted.as_flattened(), WITHIN)?;
    println!("  both take more than there is");
    service.overfill()?;
    build.overfill()?;
    let killed = |became| [("OOMKillDetected", "counted", became)];
    timeline.watch(&killed(Became::Firing), WITHIN)?;
    timeline.watch(&killed(Became::Routed("critical".to_string())), WITHIN)?;
    drop((service, build));
    timeline.watch(&both.map(|alert| (alert, "emergency", Became::Resolved)), WITHIN)
}
