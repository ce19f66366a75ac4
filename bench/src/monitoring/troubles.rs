//! What befalls a cluster: each alert that is not about high memory alone, by a cause of its own, until it is over.

use super::LIMIT_BYTES;
use super::eater::Eater;
use super::stage::Rest;
use super::timeline::{Became, Timeline};
use crate::Failure;
use std::io::Write;
use std::time::Duration;
use tempfile::NamedTempFile;

/// An alert that takes longer does not come: most have a chain of parts before them.
const WITHIN: Duration = Duration::from_secs(120);
/// More than fits beside what the reader holds.
const FILE_BYTES: usize = 64 << 20;

/// An alert, its tier and who is told.
type Told = (&'static str, &'static str, &'static str);

/// While they last.
const TOGETHER: [Told; 7] = [
    ("RightsizingRegressed", "limit", "critical"),
    ("RightsizingRegressed", "controller", "critical"),
    ("HighMemoryPressure", "container", "warning"),
    ("GitLabRunnerHighMemory", "emergency", "emergency"),
    ("ScalingFailure", "ahead", "critical"),
    ("CapacityShortfall", "nearly_full", "warning"),
    LEAK,
];
const LEAK: Told = ("MemoryLeakSuspected", "leak", "warning");
const DOWN: Told = ("PlimsollDown", "target", "warning");
const DEGRADED: Told = ("CapacityShortfall", "degraded", "critical");

/// Has all of it happen, and end; one container leaks already.
pub fn befall(timeline: &mut Timeline, rest: &mut Rest, mut leaking: Eater) -> Result<(), Failure> {
    println!("\nWhat else may be, each by a cause of its own:\n");
    println!("  a pod needs what it had before the controller lowered its limit");
    rest.shop.need_more()?;
    println!("  a container reads back again and again what it has let go");
    let file = file()?;
    let reader = Eater::reading("reader", LIMIT_BYTES, 0.87, file.path())?;
    println!("  a runner's pod comes to 96 %");
    rest.shop.kubelet.fill("gitlab-runner-", 0.96)?;
    println!("  people are promised all that there is, and something else scales the pods for them");
    rest.shop.meddle();
    let promised = rest.service.promise_all()?;
    come(timeline, &TOGETHER)?;
    println!("  the leak comes to 96 %");
    leaking.fill(0.96)?;
    timeline.watch(&[(LEAK.0, LEAK.1, Became::Inhibited)], WITHIN)?;
    println!("  the service ends");
    rest.service.end();
    come(timeline, &[DOWN])?;
    println!("  it is back, with fewer pods than it has promised");
    rest.service.begin(1)?;
    come(timeline, &[DEGRADED])?;
    println!("  and all of it is over");
    rest.service.again()?;
    rest.service.cancel(&promised)?;
    rest.shop.leave();
    rest.shop.end_runner();
    drop((leaking, reader));
    let all = TOGETHER.iter().chain([&DOWN, &DEGRADED]);
    timeline.watch(&all.map(|(alert, tier, _)| (*alert, *tier, Became::Resolved)).collect::<Vec<_>>(), WITHIN)
}

/// Until each has fired, and somebody was told.
fn come(timeline: &mut Timeline, all: &[Told]) -> Result<(), Failure> {
    let each = all.iter().flat_map(|(alert, tier, who)| {
        [Became::Firing, Became::Routed(who.to_string())].map(|became| (*alert, *tier, became))
    });
    timeline.watch(&each.collect::<Vec<_>>(), WITHIN)
}

/// On a disk: a folder for what is temporary may be memory itself.
fn file() -> Result<NamedTempFile, Failure> {
    let mut file = NamedTempFile::new_in("target")?;
    file.write_all(&vec![1; FILE_BYTES])?;
    file.as_file().sync_all()?;
    Ok(file)
}
