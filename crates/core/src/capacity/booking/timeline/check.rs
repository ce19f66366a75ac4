//! Whether the pods of a reservation are as they have to be.

use super::pods_of;
use crate::capacity::booking::reservation::Reservation;
use std::collections::BTreeMap;

/// Most names that are said.
const NAMES_MAX: usize = 5;

/// Whether so many pods are ready in each region as it needs, and the count in words. A region of which nothing is known has none
/// that are known to be ready.
///
/// # Errors
/// The same words, where there are fewer.
pub fn are_ready(it: &Reservation, ready: &BTreeMap<String, u32>) -> Result<String, String> {
    let mut are_enough = true;
    let mut words = Vec::new();
    for (region, needed) in pods_of(it) {
        let there = ready.get(&region).copied();
        are_enough &= there.is_some_and(|there| there >= needed);
        let place = if region.is_empty() { String::new() } else { format!(" in {region}") };
        words.push(match there {
            Some(there) => format!("{} of {needed} pods are ready{place}", there.min(needed)),
            None => format!("how many of {needed} pods are ready{place} is not known"),
        });
    }
    let words = words.join("; ");
    if are_enough { Ok(words) } else { Err(words) }
}

/// Whether they are ready and none has restarted since they were scaled; `restarted` has the names of those that have.
///
/// # Errors
/// What is wrong, in words.
pub fn are_healthy(
    it: &Reservation,
    ready: &BTreeMap<String, u32>,
    restarted: &[String],
) -> Result<String, String> {
    let words = are_ready(it, ready)?;
    if restarted.is_empty() {
        return Ok(words);
    }
    let more = restarted.len().saturating_sub(NAMES_MAX);
    let names = restarted.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(format!("{words}, and since they were scaled {names}{more} restarted"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::booking::fixtures::reservation;
    use crate::capacity::booking::rooms::Placed;
    use crate::capacity::booking::supply::PodId;

    #[test]
    fn what_is_missing_is_said() {
        let at = |region: &str, ordinal| Placed {
            lot: 0,
            pod: PodId { region: region.into(), ordinal },
            copies: 1,
        };
        let of = |placement| Reservation { placement, ..reservation("r", (0, 60), 5) };
        let one = of(vec![at("", 0), at("", 3)]);
        let two = of(vec![at("ams", 0), at("fra", 1)]);
        let ready = |all: &[(&str, u32)]| all.iter().map(|(name, pods)| (name.to_string(), *pods)).collect();
        let check = |it: &Reservation, all: &[(&str, u32)], expect: Result<&str, &str>| {
            let expect = expect.map(str::to_string).map_err(str::to_string);
            assert_eq!(are_ready(it, &ready(all)), expect, "{all:?}");
        };
        check(&one, &[("", 5)], Ok("4 of 4 pods are ready"));
        check(&one, &[("", 3)], Err("3 of 4 pods are ready"));
        check(&one, &[], Err("how many of 4 pods are ready is not known"));
        check(
            &two,
            &[("ams", 1), ("fra", 1)],
            Err("1 of 1 pods are ready in ams; 1 of 2 pods are ready in fra"),
        );
        let seven: Vec<String> = (0..7).map(|pod| format!("backend-{pod}")).collect();
        let said = are_healthy(&one, &ready(&[("", 4)]), &seven).expect_err("they restarted");
        assert!(said.ends_with("backend-3, backend-4 and 2 more restarted"), "{said}");
        assert!(are_healthy(&one, &ready(&[("", 4)]), &[]).is_ok());
    }
}
