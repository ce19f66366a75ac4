//! HorizontalPodAutoscalers that go by memory: how many pods they want, and where they come to rest.
//!
//! One compares what its pods use on average with a target. Where `r` is the ratio of the two it wants `ceil(n r)` of `n`
//! pods, and what there is where `r` is within a tolerance of 1 (`pkg/controller/podautoscaler/replica_calculator.go` of
//! Kubernetes 1.36, <https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#algorithm-details>).
//! Of several metrics the one that wants most pods counts, so no other takes away what memory holds.
//!
//! Of what a pod uses more pods take away only what is load: where they share a load `L` each uses `b + L / n`. The base `b`
//! stays. So with `r = b / target`, whatever the load:
//!
//! - `r > 1 + tolerance`: each look wants more pods than there are until it is the most, and never fewer.
//! - `r >= 1 - tolerance`: no look wants fewer, and it stays where its highest load has brought it.
//! - else it wants fewer without load while `ceil(n r) < n`, that is `n (1 - r) >= 1`, and rests at the most pods with
//!   `n < 1 / (1 - r)`: nine with `r = 0.89`, four with 0.8. It comes back to its least only where `r <= least / (least + 1)`.

use crate::size::{MIB, whole_mib};

/// As the controller has it unless it is told otherwise (`--horizontal-pod-autoscaler-tolerance`), as a share.
pub const TOLERANCE: f64 = 0.1;

/// One that goes by memory.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryAutoscaler {
    /// What it is called.
    pub name: String,
    /// Least pods, at least one.
    pub min_replicas: u32,
    /// Most pods.
    pub max_replicas: u32,
    /// It would have more than it may, by its status (`TooManyReplicas`).
    pub is_held_at_max: bool,
    /// How far above its target use may be before it wants more, as a share; infinite where it may not.
    pub tolerance_up: f64,
    /// And how far below before it wants fewer.
    pub tolerance_down: f64,
    /// Its metrics that are memory; at least one.
    pub targets: Vec<MemoryTarget>,
}

/// A metric that is memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryTarget {
    /// Only of this container; `None` is the whole pod.
    pub container: Option<String>,
    /// What pods should use on average.
    pub amount: Amount,
}

/// What pods should use on average.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// So many hundredths of their request (`averageUtilization`).
    Percent(u32),
    /// So many bytes (`averageValue`).
    Bytes(u64),
}

/// Where an autoscaler comes to when its pods have no load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// At its most, wherever it begins.
    AtMost,
    /// Where its highest load has brought it.
    WhereItIs,
    /// Down to so many pods.
    At(u32),
}

impl MemoryTarget {
    /// Whether what this container uses counts.
    pub fn counts(&self, container: &str) -> bool {
        self.container.as_deref().is_none_or(|only| only == container)
    }
}

impl Amount {
    /// In bytes, with so large a request.
    pub fn bytes(self, request_bytes: u64) -> u64 {
        match self {
            Amount::Percent(percent) => {
                let bytes = u128::from(request_bytes) * u128::from(percent) / 100;
                u64::try_from(bytes).unwrap_or(u64::MAX)
            }
            Amount::Bytes(bytes) => bytes,
        }
    }

    /// What is used, as a share of it; a share of a request is reckoned in whole hundredths. `None` where it is of nothing.
    pub fn ratio(self, used_bytes: u64, request_bytes: u64) -> Option<f64> {
        let (used, of) = match self {
            Amount::Percent(percent) => {
                let used = (u128::from(used_bytes) * 100).checked_div(u128::from(request_bytes))?;
                (used as f64, f64::from(percent))
            }
            Amount::Bytes(bytes) => (used_bytes as f64, bytes as f64),
        };
        (of > 0.0).then(|| used / of)
    }
}

impl MemoryAutoscaler {
    /// How many pods it wants where so many run and use this share of its target.
    pub fn wants(&self, replicas: u32, ratio: f64) -> u32 {
        let stays = 1.0 - self.tolerance_down <= ratio && ratio <= 1.0 + self.tolerance_up;
        let wanted = if stays { replicas } else { (ratio * f64::from(replicas)).ceil() as u32 };
        wanted.min(self.max_replicas).max(self.min_replicas)
    }

    /// Where it comes to when its pods use this share of its target without load.
    pub fn rest(&self, ratio: f64) -> Rest {
        if self.max_replicas <= self.min_replicas {
            return Rest::At(self.min_replicas);
        }
        if ratio > 1.0 + self.tolerance_up {
            return Rest::AtMost;
        }
        if ratio >= 1.0 - self.tolerance_down {
            return Rest::WhereItIs;
        }
        // From further up it comes by here too, as it goes past no number that it would rest at.
        let above = (1.0 / (1.0 - ratio)).ceil() + 1.0;
        let mut replicas = self.max_replicas.min(above as u32);
        loop {
            let fewer = self.wants(replicas, ratio);
            if fewer >= replicas {
                return Rest::At(replicas.max(self.min_replicas));
            }
            replicas = fewer;
        }
    }

    /// The least target with which it comes back to its least pods when each uses `base_bytes` without load, in bytes, whole MiB:
    /// `base (least + 1) / least`, and above `base / (1 - tolerance)`. `None` where it never wants fewer.
    pub fn least_target_bytes(&self, base_bytes: u64) -> Option<u64> {
        let share = (1.0 - self.tolerance_down).min(1.0 - 1.0 / (f64::from(self.min_replicas) + 1.0));
        if share <= 0.0 {
            return None;
        }
        let least = whole_mib((base_bytes as f64 / share).ceil() as u64);
        let is_enough = self.rest(base_bytes as f64 / least as f64) == Rest::At(self.min_replicas);
        // A MiB more where it is a hair too small.
        Some(if is_enough { least } else { least.saturating_add(MIB) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn autoscaler(min_replicas: u32, max_replicas: u32) -> MemoryAutoscaler {
        MemoryAutoscaler {
            name: "web".into(),
            min_replicas,
            max_replicas,
            is_held_at_max: false,
            tolerance_up: TOLERANCE,
            tolerance_down: TOLERANCE,
            targets: Vec::new(),
        }
    }

    #[test]
    fn use_is_compared_with_the_target() {
        let check = |amount: Amount, used_mib: u64, request_mib: u64, expect: Option<f64>| {
            assert_eq!(amount.ratio(used_mib << 20, request_mib << 20), expect, "{amount:?}");
        };
        check(Amount::Bytes(200 << 20), 300, 0, Some(1.5));
        check(Amount::Percent(80), 256, 256, Some(1.25));
        // 33.3 % is 33 %.
        check(Amount::Percent(66), 100, 300, Some(0.5));
        check(Amount::Percent(80), 256, 0, None);
        check(Amount::Percent(0), 256, 256, None);
        check(Amount::Bytes(0), 256, 256, None);
        assert_eq!(Amount::Percent(80).bytes(256 << 20), 214_748_364);
        assert_eq!(Amount::Percent(u32::MAX).bytes(u64::MAX), u64::MAX);
    }

    #[test]
    fn as_the_controller_wants_it() {
        let check = |replicas, percent: u32, expect| {
            let ratio = Amount::Percent(100).ratio(u64::from(percent), 100).expect("a ratio");
            assert_eq!(autoscaler(2, 10).wants(replicas, ratio), expect, "{replicas} at {percent} %");
        };
        check(3, 100, 3);
        check(3, 110, 3);
        check(3, 111, 4);
        check(3, 90, 3);
        // 2.67 of three are three.
        check(3, 89, 3);
        check(3, 66, 2);
        check(5, 80, 4);
        check(8, 200, 10);
        check(8, 1, 2);
    }

    #[test]
    fn where_it_rests() {
        let check = |min, max, ratio, expect| assert_eq!(autoscaler(min, max).rest(ratio), expect, "{ratio}");
        check(1, 10, 1.11, Rest::AtMost);
        check(1, 10, 1.1, Rest::WhereItIs);
        check(1, 10, 0.9, Rest::WhereItIs);
        check(1, 10, 0.89, Rest::At(9));
        check(1, 20, 0.89, Rest::At(9));
        check(1, 5, 0.89, Rest::At(5));
        check(1, 10, 0.8, Rest::At(4));
        check(1, 10, 0.51, Rest::At(2));
        check(1, 10, 0.5, Rest::At(1));
        check(3, 10, 0.75, Rest::At(3));
        check(3, 10, 0.76, Rest::At(4));
        check(3, 10, 0.0, Rest::At(3));
        check(4, 4, 2.0, Rest::At(4));
        let never_up = MemoryAutoscaler { tolerance_up: f64::INFINITY, ..autoscaler(1, 10) };
        assert_eq!((never_up.rest(9.0), never_up.rest(0.5)), (Rest::WhereItIs, Rest::At(1)));
        let never_down = MemoryAutoscaler { tolerance_down: f64::INFINITY, ..autoscaler(1, 10) };
        assert_eq!((never_down.rest(9.0), never_down.rest(0.1)), (Rest::AtMost, Rest::WhereItIs));
        let strict = MemoryAutoscaler { tolerance_down: 0.0, ..autoscaler(1, u32::MAX) };
        assert_eq!(strict.rest(0.999), Rest::At(999));
    }

    #[test]
    fn the_least_target_of_a_base() {
        let check = |min, base_mib: u64, expect: Option<u64>| {
            let least = autoscaler(min, 100).least_target_bytes(base_mib << 20);
            assert_eq!(least, expect.map(|mib| mib << 20), "{min} pods of {base_mib}");
        };
        check(1, 300, Some(600));
        check(2, 300, Some(450));
        check(4, 300, Some(375));
        // From here on the tolerance asks for more.
        check(20, 300, Some(334));
        check(20, 900, Some(1001));
        let never_down = MemoryAutoscaler { tolerance_down: f64::INFINITY, ..autoscaler(1, 10) };
        assert_eq!(never_down.least_target_bytes(300 << 20), None);
    }

    /// Looks at pods of this base in bytes that share a load, again and again.
    fn play(autoscaler: &MemoryAutoscaler, from: u32, target: (Amount, u64), base: u64, load: u64) -> u32 {
        (0..1000).fold(from, |replicas, _| {
            let used = base + load / u64::from(replicas);
            let ratio = target.0.ratio(used, target.1).expect("a ratio");
            autoscaler.wants(replicas, ratio)
        })
    }

    /// An autoscaler, where it begins, its target and the request, a base and a load in bytes.
    fn cases() -> impl Strategy<Value = (MemoryAutoscaler, u32, (Amount, u64), u64, u64)> {
        let size = || 1u64..2000 * MIB;
        let amount = prop_oneof![(1u32..200).prop_map(Amount::Percent), size().prop_map(Amount::Bytes)];
        let replicas = (1u32..20, 1u32..60, 0u32..60);
        (replicas, (amount, size()), size(), 0..40_000 * MIB).prop_map(
            |((min, more, from), target, base, load)| {
                let autoscaler = autoscaler(min, min + more);
                let from = (min + from).min(autoscaler.max_replicas);
                (autoscaler, from, target, base, load)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

        #[test]
        fn it_comes_to_where_the_law_says((scaler, from, target, base, load) in cases()) {
            let ratio = target.0.ratio(base, target.1).expect("a ratio");
            let peak = play(&scaler, from, target, base, load);
            let after = play(&scaler, peak, target, base, 0);
            match scaler.rest(ratio) {
                Rest::AtMost => prop_assert_eq!((peak, after), (scaler.max_replicas, scaler.max_replicas)),
                Rest::WhereItIs => prop_assert_eq!(peak.max(from), after),
                Rest::At(rest) => {
                    prop_assert_eq!(play(&scaler, scaler.max_replicas, target, base, 0), rest);
                    prop_assert_eq!(after, peak.min(rest));
                }
            }
        }

        /// With a base below the target it stays below its most, under a load that fewer pods can share.
        #[test]
        fn a_load_that_fits_does_not_pin_it((scaler, from, target, ..) in cases(), share in 0u64..1000) {
            let target_bytes = target.0.bytes(target.1);
            prop_assume!(target_bytes > 0);
            let base = target_bytes / 1000 * share;
            let enough = from.min(scaler.max_replicas - 1);
            let load = (target_bytes - base) * u64::from(enough);
            let peak = play(&scaler, scaler.min_replicas, target, base, load);
            prop_assert!(peak <= enough, "{} of {}", peak, enough);
        }

        #[test]
        fn with_the_least_target_it_comes_back((scaler, _, _, base, load) in cases()) {
            let least = scaler.least_target_bytes(base).expect("it wants fewer");
            let target = (Amount::Bytes(least), 1);
            let peak = play(&scaler, scaler.min_replicas, target, base, load);
            prop_assert_eq!(play(&scaler, peak, target, base, 0), scaler.min_replicas);
            // And with a few MiB less it would not.
            let less = (Amount::Bytes(least.saturating_sub(3 * MIB).max(1)), 1);
            let rest = play(&scaler, scaler.max_replicas, less, base, 0);
            prop_assert!(rest > scaler.min_replicas, "{}", rest);
        }
    }
}
