//! Autopilot's choice among models: each has a decay and a margin and is charged for what it got wrong; the cheapest speaks.
//!
//! The paper gives the formulas but neither the weights, nor the decays, nor the margins. The weights here are those of a
//! published re-implementation (w_o 0.5, w_u 0.25, w_Δ 0.1, d 0.75); the models are a grid of 6 decays and 5 margins.

use super::{FiveMinutes, buckets, held};
use crate::sizing::peaks::SlidingMax;
use crate::sizing::{OomKill, Policy, Sample, Size};

const OVERRUN_COST: f64 = 0.5;
const UNDERRUN_COST: f64 = 0.25;
const CHANGE_COST: f64 = 0.1;
/// Changing the model costs as much as changing the limit.
const MODEL_CHANGE_COST: f64 = 0.1;
const DECAY: f64 = 0.75;
const MODEL_DECAYS: [f64; 6] = [0.5, 0.2, 0.1, 0.03, 0.01, 0.001];
const MODEL_MARGINS: [f64; 5] = [0.0, 0.05, 0.1, 0.15, 0.3];

/// Costs of each limit, a bucket's start, under one decay: o(L) and u(L) of the paper.
#[derive(Debug, Clone)]
struct Costs {
    decay: f64,
    overruns: Vec<f64>,
    underruns: Vec<f64>,
    /// L'_m, as a bucket.
    limit: usize,
}

impl Costs {
    fn new(decay: f64) -> Costs {
        let count = buckets().count;
        Costs { decay, overruns: vec![0.0; count], underruns: vec![0.0; count], limit: 0 }
    }

    fn take(&mut self, bucket: usize) {
        for (limit, (over, under)) in self.overruns.iter_mut().zip(&mut self.underruns).enumerate() {
            *over = (1.0 - self.decay) * *over + if bucket >= limit { self.decay } else { 0.0 };
            *under = (1.0 - self.decay) * *under + if bucket + 1 < limit { self.decay } else { 0.0 };
        }
        let cost = |limit: usize| {
            let moved = if limit == self.limit { 0.0 } else { CHANGE_COST };
            OVERRUN_COST * self.overruns[limit] + UNDERRUN_COST * self.underruns[limit] + moved
        };
        self.limit = (0..self.overruns.len()).min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(0);
    }
}

/// One model: a decay of [`MODEL_DECAYS`], a margin, and what it has been charged.
#[derive(Debug, Clone)]
struct Model {
    costs: usize,
    margin: f64,
    /// L_m in bytes.
    limit: f64,
    charged: f64,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct AutopilotMl {
    five_minutes: FiveMinutes,
    costs: Vec<Costs>,
    models: Vec<Model>,
    chosen: usize,
    held: SlidingMax,
}

impl Default for AutopilotMl {
    fn default() -> Self {
        let models = (0..MODEL_DECAYS.len())
            .flat_map(|costs| MODEL_MARGINS.map(|margin| Model { costs, margin, limit: 0.0, charged: 0.0 }));
        AutopilotMl {
            five_minutes: FiveMinutes::default(),
            costs: MODEL_DECAYS.map(Costs::new).to_vec(),
            models: models.collect(),
            chosen: 0,
            held: held(),
        }
    }
}

impl AutopilotMl {
    fn take(&mut self, end_ms: i64, peak: u64) {
        let buckets = buckets();
        let bucket = buckets.of(peak as f64);
        // Charged first, for the limit it had while this peak came.
        for model in &mut self.models {
            let over = f64::from(u8::from(peak as f64 > model.limit));
            let under = f64::from(u8::from((peak as f64) < model.limit));
            model.charged =
                (1.0 - DECAY) * model.charged + DECAY * (OVERRUN_COST * over + UNDERRUN_COST * under);
        }
        self.costs.iter_mut().for_each(|costs| costs.take(bucket));
        for model in &mut self.models {
            let limit = buckets.start(self.costs[model.costs].limit) * (1.0 + model.margin);
            model.charged += if limit == model.limit { 0.0 } else { DECAY * CHANGE_COST };
            model.limit = limit;
        }
        let spoken = self.models[self.chosen].limit;
        let price = |index: usize| {
            let model = &self.models[index];
            let other_model = if index == self.chosen { 0.0 } else { MODEL_CHANGE_COST };
            let other_limit = if model.limit == spoken { 0.0 } else { CHANGE_COST };
            model.charged + other_model + other_limit
        };
        let cheapest = (0..self.models.len()).min_by(|a, b| price(*a).total_cmp(&price(*b)));
        self.chosen = cheapest.unwrap_or(self.chosen);
        self.held.push(Sample { at_ms: end_ms, bytes: self.models[self.chosen].limit as u64 });
    }
}

impl Policy for AutopilotMl {
    fn observe(&mut self, sample: Sample) {
        if let Some((end_ms, peak)) = self.five_minutes.push(sample) {
            self.take(end_ms, peak);
        }
    }

    /// A kill is an overrun: it counts as the bucket above the limit.
    fn oom(&mut self, kill: OomKill) {
        self.observe(Sample { at_ms: kill.at_ms, bytes: kill.limit_bytes + 1 });
    }

    fn size(&mut self, _at_ms: i64) -> Option<Size> {
        self.held.latest().map(|held| Size::both(held.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::MIB;

    fn after(peaks_mib: impl Iterator<Item = u64>) -> u64 {
        let mut policy = AutopilotMl::default();
        for (minute, mib) in peaks_mib.enumerate() {
            policy.observe(Sample { at_ms: minute as i64 * 60_000, bytes: mib * MIB });
        }
        policy.size(0).unwrap().limit_bytes / MIB
    }

    #[test]
    fn flat_use_gets_little_more_than_it_uses() {
        let limit_mib = after(std::iter::repeat_n(500, 60 * 24));
        assert!((500..=580).contains(&limit_mib), "{limit_mib} MiB");
    }

    #[test]
    fn a_step_is_followed_within_the_hour() {
        let limit_mib = after(std::iter::repeat_n(500, 60 * 24).chain(std::iter::repeat_n(900, 60)));
        assert!(limit_mib >= 900, "{limit_mib} MiB");
    }
}
