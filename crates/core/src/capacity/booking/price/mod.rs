//! What a reservation costs: its share of a node's memory, for as long as it holds it.
//!
//! Providers bill nodes, by the second with a least amount, and some not beyond a number of hours a month: DigitalOcean
//! bills 672 hours at most, so in a month of 30 days the first 48 hours in which a node is off save nothing.

mod money;

pub use money::{Money, NotMoney};

use super::span::{HOUR_MS, Span};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// Months of a span that are looked at for the cap; more than anybody can reserve.
const MOST_MONTHS: usize = 120;

/// How a node is sold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapacityType {
    /// Until it is given back.
    #[default]
    OnDemand,
    /// Until the provider wants it back: rooms die with it.
    Spot,
}

/// What one node costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriceSheet {
    /// Who sells it.
    pub provider: String,
    /// Where.
    pub region: String,
    /// Of which type it is.
    pub instance_type: String,
    /// Its cores.
    pub cpu: u32,
    /// Its memory, in bytes.
    pub memory_bytes: u64,
    /// For an hour.
    pub hourly: Money,
    /// Hours of a calendar month (UTC) after which it is free.
    pub monthly_cap_hours: Option<u32>,
    /// It is billed for at least so many seconds.
    pub least_seconds: u32,
    /// And for at least so much.
    pub least_charge: Money,
    /// How it is sold.
    pub capacity_type: CapacityType,
    /// ISO 4217.
    pub currency: String,
}

impl Default for PriceSheet {
    /// The node of the second team's plan: 60 dollars a month at DigitalOcean, which are 672 hours. Its size is that of
    /// a droplet at about that price.
    fn default() -> PriceSheet {
        PriceSheet {
            provider: "digitalocean".into(),
            region: String::new(),
            instance_type: String::new(),
            cpu: 4,
            memory_bytes: 8 << 30,
            hourly: Money::of_nanos(60 * 1_000_000_000 / 672 + 1),
            monthly_cap_hours: Some(672),
            least_seconds: 60,
            least_charge: Money::of_nanos(10_000_000),
            capacity_type: CapacityType::OnDemand,
            currency: "USD".into(),
        }
    }
}

impl PriceSheet {
    /// What a node costs that runs for so many seconds of one calendar month; nothing when it does not run.
    pub fn node_month(&self, seconds: u64) -> Money {
        if seconds == 0 {
            return Money::ZERO;
        }
        let cap = self.monthly_cap_hours.map_or(u64::MAX, |hours| u64::from(hours) * 3600);
        let billed = seconds.max(u64::from(self.least_seconds)).min(cap);
        self.hourly.share(u128::from(billed), 3600).max(self.least_charge)
    }

    /// What is saved in a month of so many hours by switching one node off for so many of them.
    pub fn saved_by_off_hours(&self, month_hours: u32, off_hours: u32) -> Money {
        let on = |hours: u32| self.node_month(u64::from(hours) * 3600);
        on(month_hours).less(on(month_hours.saturating_sub(off_hours)))
    }

    /// What these bytes cost for a span, as their share of a node's memory. In each calendar month, no more than the
    /// share of the cap.
    pub fn cost(&self, bytes: u64, span: &Span) -> Money {
        let billed_ms = u128::from(self.billed_ms(span));
        let whole = u128::from(self.memory_bytes.max(1)).saturating_mul(HOUR_MS as u128);
        self.hourly.share(u128::from(bytes).saturating_mul(billed_ms), whole)
    }

    /// How much of a span is billed, in milliseconds.
    fn billed_ms(&self, span: &Span) -> u64 {
        let length_ms = |from: i64, to: i64| to.saturating_sub(from).max(0).unsigned_abs();
        let Some(cap) = self.monthly_cap_hours else { return length_ms(span.start_ms, span.end_ms) };
        let cap_ms = u64::from(cap) * HOUR_MS.unsigned_abs();
        let (mut from, mut billed) = (span.start_ms, 0u64);
        for _ in 0..MOST_MONTHS {
            let Some(to) = next_month_ms(from).filter(|to| *to < span.end_ms) else { break };
            billed = billed.saturating_add(length_ms(from, to).min(cap_ms));
            from = to;
        }
        billed.saturating_add(length_ms(from, span.end_ms).min(cap_ms))
    }
}

/// When the next calendar month begins in UTC.
fn next_month_ms(at_ms: i64) -> Option<i64> {
    let day = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(at_ms).ok()?).date();
    let next = day.first_of_month().checked_add(1.month()).ok()?;
    Some(TimeZone::UTC.to_timestamp(next.at(0, 0, 0, 0)).ok()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::booking::span::DAY_MS;

    #[test]
    fn a_node_for_a_part_of_a_month() {
        let sheet = PriceSheet::default();
        let check = |seconds: u64, cents: &str| {
            assert_eq!(sheet.node_month(seconds).rounded(2), cents, "{seconds} s");
        };
        check(0, "0.00");
        check(1, "0.01");
        check(60, "0.01");
        check(3600, "0.09");
        check(336 * 3600, "30.00");
        check(672 * 3600, "60.00");
        check(720 * 3600, "60.00");
        check(u64::MAX, "60.00");
    }

    #[test]
    fn the_first_48_hours_that_a_node_is_off_save_nothing() {
        let sheet = PriceSheet::default();
        let check = |off_hours: u32, cents: &str| {
            assert_eq!(sheet.saved_by_off_hours(720, off_hours).rounded(2), cents, "{off_hours} h");
        };
        check(0, "0.00");
        check(48, "0.00");
        // 10 hours a day: 22.50 for each node, where 25 would be its share of 720 hours.
        check(300, "22.50");
        check(720, "60.00");
        check(900, "60.00");
    }

    #[test]
    fn a_share_of_a_node() {
        let check = |share: u64, from_days: i64, days: i64, cap: Option<u32>, cents: &str| {
            let sheet = PriceSheet { monthly_cap_hours: cap, ..PriceSheet::default() };
            let span = Span { start_ms: from_days * DAY_MS, end_ms: (from_days + days) * DAY_MS };
            let cost = sheet.cost(sheet.memory_bytes / share, &span);
            assert_eq!(cost.rounded(2), cents, "1/{share}, {days} days");
        };
        check(1, 0, 1, Some(672), "2.14");
        check(4, 0, 1, Some(672), "0.54");
        check(2, 0, 31, Some(672), "30.00");
        check(2, 0, 31, None, "33.21");
        // January and February 1970: each is billed to its own cap.
        check(1, 0, 59, Some(672), "120.00");
        check(1, 30, 2, Some(672), "4.29");
        let hour = Span { start_ms: 0, end_ms: HOUR_MS };
        assert_eq!(PriceSheet { memory_bytes: 0, ..PriceSheet::default() }.cost(0, &hour), Money::ZERO);
        let ever = Span { start_ms: i64::MIN, end_ms: i64::MAX };
        assert!(PriceSheet::default().cost(u64::MAX, &ever) > Money::ZERO);
    }

    #[test]
    fn as_json() {
        let text = serde_json::to_string(&PriceSheet::default()).expect("json");
        assert!(text.contains(r#""hourly":"0.089285715""#), "{text}");
        let read: PriceSheet = serde_json::from_str(r#"{"hourly":"0.10","currency":"EUR"}"#).expect("read");
        assert_eq!((read.hourly.rounded(4).as_str(), read.monthly_cap_hours), ("0.1000", Some(672)));
        assert!(serde_json::from_str::<PriceSheet>(r#"{"hourly":0.1}"#).is_err());
    }
}
