//! What values are measured in, and the colours they turn.

use crate::settings::Currency;

/// What a value is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Bytes, shown in KiB, MiB, GiB.
    Bytes,
    /// Of 1, shown as percent.
    Share,
    /// Seconds.
    Seconds,
    /// So many a second.
    PerSecond,
    /// Requests a second.
    Requests,
    /// Money.
    Money(Currency),
    /// 1 is yes, 0 is no.
    Yes,
}

impl Unit {
    /// Grafana's name of it.
    pub fn id(self) -> &'static str {
        match self {
            Unit::Count => "short",
            Unit::Bytes => "bytes",
            Unit::Share => "percentunit",
            Unit::Seconds => "s",
            Unit::PerSecond => "cps",
            Unit::Requests => "reqps",
            Unit::Money(Currency::Usd) => "currencyUSD",
            Unit::Money(Currency::Eur) => "currencyEUR",
            Unit::Money(Currency::Gbp) => "currencyGBP",
            Unit::Money(Currency::Chf) => "currencyCHF",
            Unit::Money(Currency::Jpy) => "currencyJPY",
            Unit::Yes => "bool_yes_no",
        }
    }
}

/// A colour by what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// As it should be.
    Good,
    /// Worth a look.
    Look,
    /// Worth acting.
    Act,
    /// Too late.
    Bad,
    /// Without meaning.
    Plain,
}

impl Colour {
    /// Grafana's name of it.
    pub fn id(self) -> &'static str {
        match self {
            Colour::Good => "green",
            Colour::Look => "yellow",
            Colour::Act => "orange",
            Colour::Bad => "red",
            Colour::Plain => "blue",
        }
    }
}

/// From a value on, a colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// From here; none is below all.
    pub from: Option<f64>,
    /// What it turns.
    pub colour: Colour,
}
