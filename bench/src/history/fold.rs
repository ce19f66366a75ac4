//! The memory that many containers take: folded into profiles, and judged.

use super::fleet::{FROM_MS, TO_MS, used_bytes};
use crate::Failure;
use plimsoll_core::rightsize::answer::{Answer, Container, Id, Settings, answers};
use plimsoll_core::rightsize::fleet::Terms;
use plimsoll_core::rightsize::past::Packed;
use plimsoll_core::rightsize::profile::Profile;
use plimsoll_core::size::MIB;
use plimsoll_core::sizing::HOUR_MS;
use plimsoll_core::sizing::plimsoll::fleet::Risk;
use std::mem::size_of;

/// Folds so many containers and judges them; memory at each step, in bytes.
pub fn fold(count: u64) -> Result<Vec<(String, u64)>, Failure> {
    let mut steps = vec![("nothing yet".to_string(), memory("VmRSS")?)];
    let containers: Vec<Container> = (0..count).map(container).collect();
    steps.push((format!("{count} containers folded"), memory("VmRSS")?));
    let terms = Terms {
        now_ms: TO_MS,
        window_ms: TO_MS - FROM_MS,
        horizon_ms: (TO_MS - FROM_MS) / 4,
        risk: Risk::AsUsual,
    };
    let answered = answers(&containers, &Settings { terms, floor_bytes: 32 * MIB });
    steps.push(("with an answer for each".into(), memory("VmRSS")?));
    steps.push(("the most on the way".into(), memory("VmHWM")?));
    match answered.iter().filter(|answer| answer.is_ok()).count() as u64 {
        answered if answered == count => Ok(steps),
        answered => Err(format!("{answered} of {count} have an answer").into()),
    }
}

fn container(number: u64) -> Container {
    let mut profile = Profile::new(FROM_MS, TO_MS - 1);
    (FROM_MS..TO_MS).step_by(HOUR_MS as usize).for_each(|at_ms| {
        profile.take(at_ms, None, used_bytes(number, at_ms));
    });
    let id = Id {
        namespace: format!("team-{}", number % 100),
        kind: "Deployment".into(),
        workload: format!("service-{number}"),
        container: "app".into(),
    };
    Container { id, profile, pods: 3, request_bytes: Some(512 * MIB), limit_bytes: Some(1024 * MIB) }
}

/// What there is of each container, in words.
pub fn parts() -> String {
    let hours = ((TO_MS - FROM_MS) / HOUR_MS) as usize;
    format!(
        "of each container, in bytes: profile {} ({} and 2 for each of {hours} hours), names and sizes {}, answer {};\n\
         on the way: 9 windows of evidence of {}\n",
        size_of::<Profile>() + 2 * hours,
        size_of::<Profile>(),
        size_of::<Container>() - size_of::<Profile>(),
        size_of::<Answer>(),
        size_of::<Packed>(),
    )
}

/// A line of `/proc/self/status`, in bytes.
pub fn memory(name: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| format!("/proc/self/status has no {name}").into())
}
