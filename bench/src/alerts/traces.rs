//! Memory of made-up containers, minute by minute: kinds that are well, and kinds that will die of it.
//!
//! Chance is seeded, so the same seed gives the same traces. Shares of a limit of 1; what can be reclaimed (page cache) comes on top.

use fastrand::Rng;
use std::f64::consts::TAU;

/// Minutes of a trace: three days.
pub const MINUTES: usize = 3 * 1440;
/// A share that no container passes while it lives.
const FULL: f64 = 1.0;

/// One container.
pub struct Trace {
    /// What cannot be reclaimed, of the limit.
    pub nonreclaimable: Vec<Option<f64>>,
    /// With page cache in use.
    pub working_set: Vec<Option<f64>>,
    /// The minute it is killed in; none where it is well.
    pub killed: Option<usize>,
}

type Make = fn(&mut Rng) -> Vec<f64>;

/// Kinds that are well.
pub const BENIGN: [(&str, Make); 10] = [
    ("flat", flat),
    ("start-up", start_up),
    ("page cache fill", cache_fill),
    ("GC sawtooth", sawtooth_alone),
    ("daily cycle", daily),
    ("daily + GC", daily_with_gc),
    ("batch", batch),
    ("level steps", steps),
    ("cache with a bound", bounded_cache),
    ("random walk", walk),
];

/// Kinds that reach the limit.
pub const LEAKS: [(&str, Make); 7] = [
    ("slow leak", slow_leak),
    ("GC leak", gc_leak),
    ("late leak", late_leak),
    ("fast leak", fast_leak),
    ("leak by steps", step_leak),
    ("leak by traffic", traffic_leak),
    ("daily + leak", daily_leak),
];

/// A container of a kind.
pub fn make(kind: &'static str, of: Make, chance: &mut Rng) -> Trace {
    let is_leak = LEAKS.iter().any(|(name, _)| *name == kind);
    let mut nonreclaimable = of(chance);
    let killed = nonreclaimable.iter().position(|share| *share >= FULL).filter(|_| is_leak);
    if let Some(minute) = killed {
        nonreclaimable.truncate(minute);
    } else {
        nonreclaimable.iter_mut().for_each(|share| *share = share.clamp(0.01, 0.97));
    }
    let working_set = with_cache(kind, &nonreclaimable, chance);
    let known = |shares: Vec<f64>| shares.into_iter().map(Some).collect();
    Trace { nonreclaimable: known(nonreclaimable), working_set: known(working_set), killed }
}

/// The page cache that is in use: a little for most, all there is room for where files are read.
fn with_cache(kind: &str, nonreclaimable: &[f64], chance: &mut Rng) -> Vec<f64> {
    let (most, minutes) = if kind == "page cache fill" {
        (FULL, between(chance, 60.0, 1200.0))
    } else {
        (between(chance, 0.0, 0.15), between(chance, 10.0, 300.0))
    };
    let filled = |minute: usize, share: f64| {
        let cache = most * (1.0 - (-(minute as f64) / minutes).exp());
        (share + cache).min(0.99).max(share)
    };
    nonreclaimable.iter().enumerate().map(|(minute, share)| filled(minute, *share)).collect()
}

fn between(chance: &mut Rng, low: f64, high: f64) -> f64 {
    low + chance.f64() * (high - low)
}

/// A normal deviate, by Box and Muller.
fn normal(chance: &mut Rng, deviation: f64) -> f64 {
    let (one, two) = (1.0 - chance.f64(), chance.f64());
    deviation * (-2.0 * one.ln()).sqrt() * (TAU * two).cos()
}

fn each(chance: &mut Rng, noise: f64, mut of: impl FnMut(f64) -> f64) -> Vec<f64> {
    (0..MINUTES).map(|minute| of(minute as f64) + normal(chance, noise)).collect()
}

/// Grows and falls at once, as a heap that is collected.
fn sawtooth(chance: &mut Rng, period: f64, height: f64) -> Vec<f64> {
    let mut at = between(chance, 0.0, period);
    let mut this = period;
    (0..MINUTES)
        .map(|_| {
            if at >= this {
                at = 0.0;
                this = (period * (1.0 + normal(chance, 0.1))).max(2.0);
            }
            at += 1.0;
            height * at / this
        })
        .collect()
}

/// A day's wave, no day quite like another.
fn wave(chance: &mut Rng, height: f64) -> Vec<f64> {
    let phase = between(chance, 0.0, 1440.0);
    let days: Vec<f64> = (0..=MINUTES / 1440).map(|_| 1.0 + normal(chance, 0.05)).collect();
    (0..MINUTES)
        .map(|minute| height * days[minute / 1440] * (TAU * (minute as f64 + phase) / 1440.0).sin())
        .collect()
}

fn plus(one: Vec<f64>, two: &[f64]) -> Vec<f64> {
    one.into_iter().zip(two).map(|(one, two)| one + two).collect()
}

fn flat(chance: &mut Rng) -> Vec<f64> {
    let (level, noise) = (between(chance, 0.2, 0.85), between(chance, 0.002, 0.01));
    each(chance, noise, |_| level)
}

/// Warms up within minutes or hours, quickly at first.
fn start_up(chance: &mut Rng) -> Vec<f64> {
    let (level, minutes) = (between(chance, 0.4, 0.85), between(chance, 10.0, 120.0));
    let base = level * between(chance, 0.05, 0.3);
    each(chance, 0.005, |at| base + (level - base) * (1.0 - (-at / minutes).exp()))
}

fn cache_fill(chance: &mut Rng) -> Vec<f64> {
    let level = between(chance, 0.2, 0.5);
    each(chance, 0.005, |_| level)
}

fn sawtooth_alone(chance: &mut Rng) -> Vec<f64> {
    let (base, period, height) =
        (between(chance, 0.2, 0.5), between(chance, 4.0, 90.0), between(chance, 0.1, 0.35));
    let teeth = sawtooth(chance, period, height);
    plus(each(chance, 0.005, |_| base), &teeth)
}

fn daily(chance: &mut Rng) -> Vec<f64> {
    let (base, height) = (between(chance, 0.4, 0.6), between(chance, 0.1, 0.3));
    let wave = wave(chance, height);
    plus(each(chance, 0.01, |_| base), &wave)
}

fn daily_with_gc(chance: &mut Rng) -> Vec<f64> {
    let (base, height) = (between(chance, 0.35, 0.5), between(chance, 0.1, 0.2));
    let (period, teeth) = (between(chance, 5.0, 60.0), between(chance, 0.05, 0.15));
    let all = plus(wave(chance, height), &sawtooth(chance, period, teeth));
    plus(each(chance, 0.01, |_| base), &all)
}

/// Bursts of minutes to hours that grow while they last.
fn batch(chance: &mut Rng) -> Vec<f64> {
    let base = between(chance, 0.1, 0.3);
    let mut all = each(chance, 0.005, |_| base);
    let every = between(chance, 60.0, 720.0);
    let lasts = (every * 0.7).min(between(chance, 10.0, 180.0));
    let height = between(chance, 0.2, 0.55);
    let mut begin = between(chance, 0.0, every);
    while (begin as usize) < MINUTES {
        let (long, high) = (lasts * between(chance, 0.7, 1.3), height * between(chance, 0.8, 1.0));
        let grows = (long * between(chance, 0.05, 0.9)).max(1.0);
        let until = ((begin + long) as usize).min(MINUTES);
        for (minute, share) in all.iter_mut().enumerate().take(until).skip(begin as usize) {
            *share += high * ((minute as f64 - begin) / grows).min(1.0);
        }
        begin += (every * between(chance, 0.8, 1.2)).max(long);
    }
    all
}

fn steps(chance: &mut Rng) -> Vec<f64> {
    let base = between(chance, 0.1, 0.25);
    let steps: Vec<(f64, f64)> = (0..chance.usize(1..4))
        .map(|_| (between(chance, 60.0, MINUTES as f64), between(chance, 0.05, 0.18)))
        .collect();
    each(chance, 0.005, |at| {
        base + steps.iter().filter(|(from, _)| *from <= at).map(|(_, by)| by).sum::<f64>()
    })
}

/// Fills over hours, more slowly the fuller it is.
fn bounded_cache(chance: &mut Rng) -> Vec<f64> {
    let (level, minutes) = (between(chance, 0.5, 0.8), between(chance, 300.0, 1500.0));
    let base = between(chance, 0.2, 0.35);
    each(chance, 0.005, |at| base + (level - base) * (1.0 - (-3.0 * at / minutes).exp()))
}

/// Up and down without a reason, and back to where it began.
fn walk(chance: &mut Rng) -> Vec<f64> {
    let mut at = 0.0;
    let steps: Vec<f64> = (0..MINUTES)
        .map(|_| {
            at += normal(chance, 0.003);
            at
        })
        .collect();
    let (base, end) = (between(chance, 0.4, 0.5), at);
    let back = |minute: usize| end * minute as f64 / MINUTES as f64;
    steps.iter().enumerate().map(|(minute, at)| (base + at - back(minute)).clamp(0.1, 0.85)).collect()
}

/// From a base to the limit within so many minutes, which begin after others.
fn leak(chance: &mut Rng, begin: f64, minutes: f64) -> Vec<f64> {
    let base = between(chance, 0.1, 0.35);
    each(chance, 0.005, |at| base + (at - begin).max(0.0) * (1.0 - base) / minutes)
}

fn slow_leak(chance: &mut Rng) -> Vec<f64> {
    let minutes = between(chance, 8.0, 48.0) * 60.0;
    leak(chance, 0.0, minutes)
}

fn gc_leak(chance: &mut Rng) -> Vec<f64> {
    let minutes = between(chance, 6.0, 40.0) * 60.0;
    let (period, height) = (between(chance, 5.0, 90.0), between(chance, 0.05, 0.3));
    let teeth = sawtooth(chance, period, height);
    plus(leak(chance, 0.0, minutes), &teeth)
}

fn late_leak(chance: &mut Rng) -> Vec<f64> {
    let (begin, minutes) = (between(chance, 600.0, 2000.0), between(chance, 4.0, 16.0) * 60.0);
    leak(chance, begin, minutes)
}

fn fast_leak(chance: &mut Rng) -> Vec<f64> {
    let (begin, minutes) = (between(chance, 120.0, 1500.0), between(chance, 2.5, 4.0) * 60.0);
    leak(chance, begin, minutes)
}

fn step_leak(chance: &mut Rng) -> Vec<f64> {
    let (minutes, every) = (between(chance, 8.0, 40.0) * 60.0, between(chance, 10.0, 60.0));
    let base = between(chance, 0.1, 0.35);
    each(chance, 0.005, |at| base + (at / every).floor() * every * (1.0 - base) / minutes)
}

/// As much as is asked of it, which the hour of the day decides.
fn traffic_leak(chance: &mut Rng) -> Vec<f64> {
    let (minutes, phase) = (between(chance, 20.0, 50.0) * 60.0, between(chance, 0.0, 1440.0));
    let base = between(chance, 0.1, 0.35);
    let mut leaked = 0.0;
    each(chance, 0.005, |at| {
        leaked += (1.0 + 0.8 * (TAU * (at + phase) / 1440.0).sin()) * (1.0 - base) / minutes;
        base + leaked
    })
}

fn daily_leak(chance: &mut Rng) -> Vec<f64> {
    let (minutes, height) = (between(chance, 15.0, 50.0) * 60.0, between(chance, 0.05, 0.15));
    let wave = wave(chance, height);
    plus(leak(chance, 0.0, minutes), &wave)
}
