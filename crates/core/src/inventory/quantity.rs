//! Amounts of memory as Kubernetes writes them: kept as they were written, so that what is put back is the same to the byte.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount of memory, such as `512Mi`, `1.5G` or `134217728`
/// (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Quantity {
    text: String,
    bytes: u64,
}

/// What is no amount of memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no amount of memory\nwrite it as Kubernetes does, such as 512Mi")]
pub struct QuantityError(String);

const UNITS: [(&str, f64); 15] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

impl Quantity {
    /// Whole bytes, in the largest unit that leaves a whole number.
    pub fn of_bytes(bytes: u64) -> Quantity {
        let units = [(1u64 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
        let whole = units.into_iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit));
        let text = whole.map_or(bytes.to_string(), |(unit, name)| format!("{}{name}", bytes / unit));
        Quantity { text, bytes }
    }

    /// Bytes, rounded up as the scheduler does.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl TryFrom<String> for Quantity {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Quantity, QuantityError> {
        let known = UNITS.into_iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
        let (number, factor) = known.unwrap_or((&text, 1.0));
        // Only what Kubernetes reads: no inf, no nan, no exponent beside a unit.
        let plain = number.chars().all(|char| char.is_ascii_digit() || "+.eE-".contains(char));
        let exponent = number.contains(['e', 'E']);
        let value = number.parse::<f64>().ok().filter(|_| plain && !(exponent && known.is_some()));
        let bytes = value.map(|value| (value * factor).ceil()).filter(|bytes| (0.0..1e19).contains(bytes));
        match bytes {
            // Whole numbers of any size exactly; others have less than 53 bits.
            Some(bytes) => {
                let exact = number.parse::<u64>().ok().filter(|_| factor >= 1.0);
                let whole = exact.and_then(|number| number.checked_mul(factor as u64));
                Ok(Quantity { bytes: whole.unwrap_or(bytes as u64), text })
            }
            None => Err(QuantityError(text)),
        }
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> String {
        quantity.text
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_kubernetes_reads_them() {
        let check = |text: &str, expect: Option<u64>| {
            let read = Quantity::try_from(text.to_string());
            assert_eq!(read.as_ref().ok().map(Quantity::bytes), expect, "{text}");
            if let Ok(read) = read {
                assert_eq!(read.to_string(), text);
            }
        };
        check("512Mi", Some(512 << 20));
        check("1.5Gi", Some(3 << 29));
        check("128974848", Some(128_974_848));
        check("129e6", Some(129_000_000));
        check("129M", Some(129_000_000));
        check("128974848000m", Some(128_974_848));
        check("1500m", Some(2));
        check("0", Some(0));
        check("9007199254740993", Some(9_007_199_254_740_993));
        check("", None);
        check("Mi", None);
        check("-1", None);
        check("inf", None);
        check("1e3Mi", None);
        check("12 Mi", None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in 0u64..1 << 50) {
            let quantity = Quantity::of_bytes(bytes);
            prop_assert_eq!(Quantity::try_from(quantity.to_string()).map(|read| read.bytes()), Ok(bytes));
        }

        #[test]
        fn nothing_panics(text in ".{0,20}") {
            let _ = Quantity::try_from(text);
        }
    }
}
