//! Sizes in bytes as people write them: `2GiB`, `2Gi`, `2G`, `2048M`, `2147483648`.

use thiserror::Error;

/// One mebibyte in bytes.
pub const MIB: u64 = 1 << 20;
/// One gibibyte in bytes.
pub const GIB: u64 = 1 << 30;

/// Rounded up to whole MiB, where there is room for that.
pub fn whole_mib(bytes: u64) -> u64 {
    bytes.checked_next_multiple_of(MIB).unwrap_or(bytes)
}

/// Why a size was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SizeError {
    /// No digits, or something between or after them that is no unit.
    #[error("'{0}' is not a size\nwrite it as 2GiB, 2Gi, 2G, 2048M or a plain number of bytes")]
    Malformed(String),
    /// The number does not fit in 64 bits.
    #[error("'{0}' is more bytes than a 64-bit number holds\ncheck the unit")]
    TooLarge(String),
    /// Zero bytes is never what anyone means.
    #[error("'{0}' is zero\na size has to be more than zero bytes")]
    Zero(String),
}

/// Reads a size. `K`, `M`, `G`, `T` mean binary multiples, with or without `i` and `B`, because the limits
/// they are compared with (cgroups, Docker, JVM and Node flags) are binary; case does not matter.
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    let malformed = || SizeError::Malformed(text.to_string());
    let trimmed = text.trim();
    let digits_end = trimmed.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits_end);
    let unit = unit.trim().to_ascii_lowercase();
    let shift = match unit.as_str() {
        "" | "b" => 0,
        "k" | "ki" | "kb" | "kib" => 10,
        "m" | "mi" | "mb" | "mib" => 20,
        "g" | "gi" | "gb" | "gib" => 30,
        "t" | "ti" | "tb" | "tib" => 40,
        _ => return Err(malformed()),
    };
    let bytes = if number.contains('.') {
        let value: f64 = number.parse().map_err(|_| malformed())?;
        let bytes = value * (1u64 << shift) as f64;
        if bytes >= u64::MAX as f64 {
            return Err(SizeError::TooLarge(text.to_string()));
        }
        bytes.round() as u64
    } else {
        if number.is_empty() {
            return Err(malformed());
        }
        let value: u64 = number.parse().map_err(|_| SizeError::TooLarge(text.to_string()))?;
        value.checked_mul(1 << shift).ok_or_else(|| SizeError::TooLarge(text.to_string()))?
    };
    if bytes == 0 { Err(SizeError::Zero(text.to_string())) } else { Ok(bytes) }
}

/// A size for people: MiB below one GiB, else GiB with one decimal (`612 MiB`, `2.6 GiB`).
pub fn human(bytes: u64) -> String {
    if bytes < 10 * 1024 {
        return format!("{bytes} B");
    }
    if bytes < MIB {
        return format!("{} KiB", bytes / 1024);
    }
    if bytes < GIB {
        return format!("{} MiB", (bytes + MIB / 2) / MIB);
    }
    format!("{:.1} GiB", bytes as f64 / GIB as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_as_people_write_them() {
        let check =
            |text: &str, expect: Result<u64, SizeError>| assert_eq!(parse_size(text), expect, "{text}");
        check("2GiB", Ok(2 * GIB));
        check("2Gi", Ok(2 * GIB));
        check("2g", Ok(2 * GIB));
        check("2048M", Ok(2 * GIB));
        check("1.5GiB", Ok(GIB + GIB / 2));
        check(" 512 MiB ", Ok(512 * MIB));
        check("2147483648", Ok(2 * GIB));
        check("", Err(SizeError::Malformed(String::new())));
        check("lots", Err(SizeError::Malformed("lots".into())));
        check("2GiBs", Err(SizeError::Malformed("2GiBs".into())));
        check("-1G", Err(SizeError::Malformed("-1G".into())));
        check("1.2.3G", Err(SizeError::Malformed("1.2.3G".into())));
        check("0", Err(SizeError::Zero("0".into())));
        check("99999999999999999999", Err(SizeError::TooLarge("99999999999999999999".into())));
        check("99999999999T", Err(SizeError::TooLarge("99999999999T".into())));
    }

    #[test]
    fn sizes_for_people() {
        assert_eq!(human(512), "512 B");
        assert_eq!(human(612 * MIB), "612 MiB");
        assert_eq!(human(2 * GIB + 600 * MIB), "2.6 GiB");
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,20}") {
            let _ = parse_size(&text);
        }
        #[test]
        fn plain_bytes_read_back(bytes in 1u64..) {
            prop_assert_eq!(parse_size(&bytes.to_string()), Ok(bytes));
        }
    }
}
