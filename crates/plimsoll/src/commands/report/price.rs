//! What memory costs, and who says so: the command line, OpenCost, the configuration, in this order.

use super::super::CommandError;
use super::ReportArgs;
use crate::config;
use plimsoll_core::capacity::booking::price::Money;
use plimsoll_core::report::seen::Price;
use plimsoll_monitoring::settings::Cost;

/// A price on the command line.
pub(super) fn parse(text: &str) -> Result<Money, String> {
    let price = text.parse::<Money>().map_err(|error| error.to_string())?;
    (price >= Money::ZERO)
        .then_some(price)
        .ok_or_else(|| format!("'{text}' is no price\nwrite it as 0.004237"))
}

/// The price; `told` is OpenCost's.
pub(super) fn of(args: &ReportArgs, told: Option<Money>) -> Result<Price, CommandError> {
    let cost = config::load(args.config.as_deref(), &std::env::current_dir()?)?.monitoring.cost;
    let currency = serde_json::to_value(cost.currency).ok();
    let currency = currency.and_then(|it| it.as_str().map(String::from)).unwrap_or_default();
    let (gib_hour, source) = if let Some(price) = args.gib_hour_price {
        (price, "--gib-hour-price")
    } else if let Some(price) = told {
        (price, "OpenCost's node_ram_hourly_cost, the mean of all nodes")
    } else if cost == Cost::default() {
        (of_config(&cost), "the default of monitoring.cost, as nothing says more")
    } else {
        (of_config(&cost), "monitoring.cost of plimsoll.yaml")
    };
    Ok(Price { gib_hour, currency, source: source.to_string() })
}

fn of_config(cost: &Cost) -> Money {
    Money::of_nanos((cost.memory_gib_hour * 1e9).round() as i64)
}
