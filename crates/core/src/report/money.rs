//! What it costs: what is requested, beside the period before, and what of it could be saved.

use super::change::Dangers;
use super::seen::{Period, Price, Seen};
use super::wasted::by_workload;
use crate::capacity::booking::price::Money;
use crate::size::GIB;
use schemars::JsonSchema;
use serde::Serialize;

/// A month, as clouds reckon it.
pub const MONTH_HOURS: u64 = 730;

/// What it costs, in a month of 730 hours; amounts are decimal numbers as text.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MoneyPart {
    /// Currency, ISO 4217; empty where nobody says.
    pub currency: String,
    /// Price of a GiB for an hour.
    #[schemars(with = "String")]
    pub gib_hour: Money,
    /// Who says so.
    pub price_source: String,
    /// What is requested at the end of the period, in bytes.
    pub requested_bytes: u64,
    /// What that costs.
    #[schemars(with = "String")]
    pub per_month: Money,
    /// What was requested on average in this period; null where it is not known.
    #[schemars(with = "Option<String>")]
    pub mean_per_month: Option<Money>,
    /// The same of the period before.
    #[schemars(with = "Option<String>")]
    pub before_per_month: Option<Money>,
    /// The difference of these two: less than nothing where it has become more.
    #[schemars(with = "Option<String>")]
    pub saved_per_month: Option<Money>,
    /// What is wasted, together; never more than what is requested.
    #[schemars(with = "String")]
    pub possible_per_month: Money,
    /// What it would cost to give those more that request too little.
    #[schemars(with = "String")]
    pub needed_per_month: Money,
}

/// What so many bytes cost in a month.
pub(super) fn per_month(bytes: u64, price: &Price) -> Money {
    price.gib_hour.share(u128::from(bytes) * u128::from(MONTH_HOURS), u128::from(GIB))
}

pub(super) fn part(seen: &Seen, dangers: &Dangers) -> Option<MoneyPart> {
    let cluster = seen.cluster.read()?;
    let price = &cluster.price;
    let judged =
        cluster.judged.iter().map(|(container, answer)| (container, answer, u64::from(container.pods)));
    let of_judged =
        judged.clone().map(|(container, _, pods)| container.request_bytes.unwrap_or(0) * pods).sum();
    // What was judged runs and requests that: a scrape that was missed makes it no less.
    let last = cluster.requested.last().map_or(0, |(_, bytes)| *bytes);
    let requested_bytes: u64 = last.max(of_judged);
    let mean = |period: Period| {
        let moments: Vec<u64> = cluster
            .requested
            .iter()
            .filter(|(at_ms, _)| period.has(*at_ms))
            .map(|(_, bytes)| *bytes)
            .collect();
        let count = u64::try_from(moments.len()).ok().filter(|count| *count > 0)?;
        Some(per_month(moments.iter().sum::<u64>() / count, price))
    };
    let (mean_per_month, before_per_month) = (mean(seen.period), mean(seen.period.before()));
    let wasted = by_workload(cluster, dangers);
    let needed = judged.map(|(container, answer, pods)| {
        container.request_bytes.map_or(0, |request| answer.request_bytes.saturating_sub(request)) * pods
    });
    Some(MoneyPart {
        currency: price.currency.clone(),
        gib_hour: price.gib_hour,
        price_source: price.source.clone(),
        requested_bytes,
        per_month: per_month(requested_bytes, price),
        mean_per_month,
        before_per_month,
        saved_per_month: before_per_month.zip(mean_per_month).map(|(before, now)| before.less(now)),
        // Each is rounded by itself, so that they add up to what is shown.
        possible_per_month: wasted
            .values()
            .map(|waste| per_month(waste.wasted_bytes, price))
            .fold(Money::ZERO, Money::plus)
            .min(per_month(requested_bytes, price)),
        needed_per_month: per_month(needed.sum(), price),
    })
}
