//! Money: exact, in 10⁻⁹ of a currency, never a float.
//!
//! An hour of a small share of a node is less than a millionth, and nine digits are what providers' own bills have.
//! Shares are rounded once, half up; the amount is 64 bits, up to nine billion of a currency, and stays there.

use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};
use std::str::FromStr;

const NANOS: i64 = 1_000_000_000;
const DIGITS: usize = 9;

/// An amount; as text a decimal number with up to nine digits after the point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Money(i64);

/// Not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an amount of money\nwrite it as text, like \"0.08929\", with up to nine digits after the point"
)]
pub struct NotMoney(String);

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// So many 10⁻⁹.
    pub const fn of_nanos(nanos: i64) -> Money {
        Money(nanos)
    }

    /// How many 10⁻⁹ it is.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Both together.
    pub fn plus(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }

    /// The difference.
    pub fn less(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }

    /// `part / whole` of it, rounded half up; `whole` is above zero.
    pub fn share(self, part: u128, whole: u128) -> Money {
        let (amount, whole) = (u128::from(self.0.unsigned_abs()), whole.max(1));
        // Exact where it fits into 128 bits; otherwise the whole times of it, and then the rest.
        let nanos = match amount.checked_mul(part) {
            Some(product) => product / whole + u128::from(product % whole >= whole.div_ceil(2)),
            None => (part / whole).saturating_mul(amount),
        };
        let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
        Money(if self.0 < 0 { -nanos } else { nanos })
    }

    /// As text with so many digits after the point, up to nine, rounded half away from zero.
    pub fn rounded(self, digits: usize) -> String {
        let digits = digits.min(DIGITS);
        let unit = 10u64.pow((DIGITS - digits) as u32);
        let units = (self.0.unsigned_abs() + unit / 2) / unit;
        let sign = if self.0 < 0 && units > 0 { "-" } else { "" };
        let per_one = 10u64.pow(digits as u32);
        match digits {
            0 => format!("{sign}{units}"),
            _ => format!("{sign}{}.{:0digits$}", units / per_one, units % per_one),
        }
    }
}

impl Display for Money {
    /// All digits that are not zero, and two at least.
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        let all = self.rounded(DIGITS);
        let zeros = all.len() - all.trim_end_matches('0').len();
        out.write_str(&all[..all.len() - zeros.min(DIGITS - 2)])
    }
}

impl FromStr for Money {
    type Err = NotMoney;

    fn from_str(text: &str) -> Result<Money, NotMoney> {
        let wrong = || NotMoney(text.chars().take(40).collect());
        let (is_negative, number) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(part) || part.len() > DIGITS {
            return Err(wrong());
        }
        let whole: i64 = whole.parse().map_err(|_| wrong())?;
        let part: i64 = format!("{part:0<DIGITS$}").parse().map_err(|_| wrong())?;
        let nanos = whole.checked_mul(NANOS).and_then(|it| it.checked_add(part)).ok_or_else(wrong)?;
        Ok(Money(if is_negative { -nanos } else { nanos }))
    }
}

impl TryFrom<String> for Money {
    type Error = NotMoney;

    fn try_from(text: String) -> Result<Money, NotMoney> {
        text.parse()
    }
}

impl From<Money> for String {
    fn from(money: Money) -> String {
        money.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_text() {
        let check = |nanos: i64, text: &str, cents: &str| {
            assert_eq!((Money(nanos).to_string().as_str(), Money(nanos).rounded(2).as_str()), (text, cents));
        };
        check(0, "0.00", "0.00");
        check(89_285_715, "0.089285715", "0.09");
        check(60_000_000_000, "60.00", "60.00");
        check(-1_500_000_000, "-1.50", "-1.50");
        check(5_000_000, "0.005", "0.01");
        check(4_999_999, "0.004999999", "0.00");
        check(-4_999_999, "-0.004999999", "0.00");
        check(i64::MAX, "9223372036.854775807", "9223372036.85");
        assert_eq!(Money(1_500_000_000).rounded(0), "2");
        for wrong in ["", ".", "1.", ".5", "1e3", "0.1234567891", "99999999999", "--1", "+1", "1,5", "NaN"] {
            assert!(wrong.parse::<Money>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares() {
        let check = |nanos: i64, part, whole, expect: i64| {
            assert_eq!(Money(nanos).share(part, whole), Money(expect), "{nanos} {part}/{whole}");
        };
        check(10, 1, 4, 3);
        check(10, 1, 5, 2);
        check(10, 0, 5, 0);
        check(-10, 1, 4, -3);
        check(1, 1, 3, 0);
        check(2, 1, 3, 1);
        check(7, u128::MAX, u128::MAX, 7);
        check(7, u128::MAX, 1, i64::MAX);
        check(7, 1, 0, 7);
    }

    proptest! {
        #[test]
        fn text_reads_the_same(nanos in -i64::MAX..i64::MAX) {
            prop_assert_eq!(Money(nanos).to_string().parse(), Ok(Money(nanos)));
        }

        #[test]
        fn parts_make_the_whole(nanos in 0..i64::MAX, part in 0u128..1_000) {
            let sum = Money(nanos).share(part, 1_000).plus(Money(nanos).share(1_000 - part, 1_000));
            prop_assert!((sum.nanos() - nanos).abs() <= 1);
        }
    }
}
