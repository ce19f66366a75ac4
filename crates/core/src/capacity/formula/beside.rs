//! Observations beside what a profile expects of them.

use super::observation::Observation;
use super::profile::Profile;
use super::retained::Retained;

/// An observation, and what was to be expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Beside<'a> {
    /// What was seen.
    pub seen: &'a Observation,
    /// What the profile expects, in MB; `None` where a reading it needs is missing.
    pub expected_mb: Option<f64>,
    /// The line that memory is below in 95 % of the time, in MB.
    pub p95_mb: Option<f64>,
}

/// Of observations in the order of time, those from a moment on, at most so many, evenly thinned. What came before says who
/// memory is still held for.
pub fn beside<'a>(
    profile: &Profile,
    observations: &'a [Observation],
    from_ms: i64,
    most: usize,
) -> Vec<Beside<'a>> {
    let shown = observations.iter().filter(|seen| seen.at_ms >= from_ms).count();
    let each = shown.div_ceil(most.max(1)).max(1);
    let mut retained = Retained::new(profile.stay);
    let (mut all, mut index) = (Vec::new(), 0);
    for seen in observations {
        retained.take(seen);
        if seen.at_ms < from_ms {
            continue;
        }
        if index % each == 0 {
            let outlook = profile.outlook_at(seen, &retained);
            all.push(Beside {
                seen,
                expected_mb: outlook.map(|outlook| outlook.expected_mb),
                p95_mb: outlook.map(|outlook| profile.line_mb(&outlook, 0.95)),
            });
        }
        index += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::super::roles::{Counts, Role};
    use super::super::plain::Formula;
    use super::super::retained::Stay;
    use super::*;

    #[test]
    fn who_has_left_is_still_expected_to_take_memory() {
        let mut profile = Profile::assumed("1", &Formula::backend());
        profile.stay = Stay { tau_minutes: 10.0, share: 1.0 };
        let seen = |minute: i64, people: u64| Observation {
            at_ms: minute * 60_000,
            pod: "a".to_string(),
            version: "1".to_string(),
            memory_bytes: Some(1 << 28),
            counts: Counts::new([(Role::EXPERIMENTER, people)].into()).unwrap(),
            uptime_ms: None,
            connections: None,
        };
        let all: Vec<Observation> =
            [seen(0, 4), seen(10, 0)].into_iter().chain((11..111).map(|at| seen(at, 0))).collect();
        let found = beside(&profile, &all, 600_000, 1_000);
        let expect = 100.0 + 25.0 * 4.0 / std::f64::consts::E;
        assert!((found[0].expected_mb.unwrap() - expect).abs() < 1e-6, "{:?}", found[0]);
        assert!(found[0].p95_mb.unwrap() > expect);
        assert_eq!(found.len(), 101);
        let thinned = beside(&profile, &all, 600_000, 51);
        assert_eq!((thinned.len(), thinned[1].seen.at_ms), (51, 12 * 60_000));
        // With connections that count, one that was not read is no 0.
        profile.connection = profile.roles.values().next().cloned();
        assert_eq!(beside(&profile, &all, 0, 10)[0].expected_mb, None);
    }
}
