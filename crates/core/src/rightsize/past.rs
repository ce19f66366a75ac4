//! Windows of the past, packed: those of all containers have to be at hand at the same time.

use super::envelope::{decode, encode};
use super::fleet::Terms;
use super::profile::Profile;
use crate::sizing::HOUR_MS;
use crate::sizing::plimsoll::evidence::{Own, Window, filled};
use crate::sizing::plimsoll::{LOOKS, Looks};

/// Windows start four times a horizon.
const STRIDES: i64 = 4;

/// When windows end and what is looked at before them; the same for all containers.
#[derive(Debug, Clone, Copy)]
pub struct Past {
    terms: Terms,
    looks: Looks,
    stride_ms: i64,
}

/// A window in 20 bytes; sizes are the envelope's codes.
#[derive(Debug, Clone, Copy)]
pub struct Packed {
    /// How many strides before now it ended.
    strides: u16,
    /// Age of the container when it began, in hours.
    age_hours: u16,
    shown: [u16; LOOKS],
    highest: u16,
    mean: u16,
}

impl Past {
    /// By these terms.
    pub fn new(terms: &Terms) -> Past {
        let stride_ms = (terms.horizon_ms / STRIDES).max(1);
        Past { terms: *terms, looks: terms.looks(), stride_ms }
    }

    /// The ends of windows, the first being the earliest.
    pub fn ends(&self) -> impl Iterator<Item = i64> + use<> {
        let Past { terms, stride_ms, .. } = *self;
        self.strides().map(move |strides| terms.now_ms - i64::from(strides) * stride_ms)
    }

    fn strides(&self) -> impl Iterator<Item = u16> + use<> {
        // As long before a window as it lasts there has to be something to look at.
        let count = (self.terms.window_ms - 2 * self.terms.horizon_ms) / self.stride_ms;
        (0..=u16::try_from(count.max(0)).unwrap_or(u16::MAX)).rev()
    }

    /// The windows of a profile.
    pub fn windows(&self, profile: &Profile) -> Vec<Packed> {
        let Some(first) = profile.used.samples().next() else { return Vec::new() };
        let mut windows: Vec<Packed> =
            self.strides().filter_map(|strides| self.pack(profile, first.at_ms, strides)).collect();
        // There is one such list for each container of the cluster.
        windows.shrink_to_fit();
        windows
    }

    fn pack(&self, profile: &Profile, first_ms: i64, strides: u16) -> Option<Packed> {
        let end_ms = self.terms.now_ms - i64::from(strides) * self.stride_ms;
        let start_ms = end_ms - self.terms.horizon_ms;
        // A container that came later has nothing to be judged by yet.
        profile.used.highest_code(start_ms - self.terms.horizon_ms, start_ms)?;
        Some(Packed {
            strides,
            age_hours: u16::try_from((start_ms - first_ms).max(0) / HOUR_MS).unwrap_or(u16::MAX),
            shown: self.codes(profile, start_ms)?,
            highest: profile.used.highest_code(start_ms, end_ms)?,
            mean: encode(profile.used.mean(start_ms, end_ms)?),
        })
    }

    /// When it ended, in milliseconds since 1970.
    pub fn end_ms(&self, packed: &Packed) -> i64 {
        self.terms.now_ms - i64::from(packed.strides) * self.stride_ms
    }

    /// As it was before it was packed, to the envelope's 0.05 %.
    pub fn unpack(&self, packed: &Packed) -> Window {
        let age_ms = i64::from(packed.age_hours) * HOUR_MS;
        let seen = self.looks.0.map(|look_ms| look_ms.min(age_ms) as f64 / self.terms.horizon_ms as f64);
        let (highest, mean) = (decode(packed.highest), decode(packed.mean) as f64);
        let shown = packed.shown.map(decode);
        Window::new(
            self.end_ms(packed),
            shown,
            seen.map(|seen| seen as f32),
            highest,
            mean.min(highest as f64),
        )
    }

    /// What a container's windows have shown up to a time.
    pub fn own(&self, windows: &[Packed], until_ms: i64) -> Own {
        let mut own = Own::default();
        let past = windows.iter().take_while(|packed| self.end_ms(packed) <= until_ms);
        past.for_each(|packed| own.add(&self.unpack(packed)));
        own
    }

    /// Highest use of each look as of a time, in bytes; `None` where the usual rule has nothing to go by.
    pub fn shown(&self, profile: &Profile, at_ms: i64) -> Option<[u64; LOOKS]> {
        self.codes(profile, at_ms).map(|codes| codes.map(decode))
    }

    fn codes(&self, profile: &Profile, at_ms: i64) -> Option<[u16; LOOKS]> {
        let code = |look_ms: i64| profile.used.highest_code(at_ms - look_ms, at_ms).map_or(0, u64::from);
        // Codes rise with sizes.
        filled(self.looks.0.map(code)).map(|codes| codes.map(|code| code as u16))
    }
}
