//! YAML, with comments above it.

use crate::commands::CommandError;
use plimsoll_core::size::MIB;
use serde::Serialize;

/// Names such as `yes`, `1e3` and `null` are put into quotes, for readers of YAML 1.1 too, which kubectl and Helm are.
pub(super) fn document(comments: &[&str], of: &impl Serialize) -> Result<String, CommandError> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let text = serde_saphyr::to_string_with_options(of, options)
        .map_err(|error| CommandError::Form(error.to_string()))?;
    let comments: String = comments.iter().map(|line| format!("# {line}\n")).collect();
    Ok(comments + &text)
}

/// As Kubernetes writes sizes: `512Mi`, or in bytes what is no whole number of MiB.
pub(super) fn quantity(bytes: u64) -> String {
    if bytes.is_multiple_of(MIB) { format!("{}Mi", bytes / MIB) } else { bytes.to_string() }
}

/// `requests` and `limits` of one container; null takes away what is there.
#[derive(Debug, Serialize)]
pub(super) struct Sizes {
    requests: Memory,
    limits: Memory,
}

/// One size of memory.
#[derive(Debug, Serialize)]
pub(super) struct Memory {
    memory: Option<String>,
}

impl Sizes {
    pub fn new(request_bytes: Option<u64>, limit_bytes: Option<u64>) -> Sizes {
        Sizes { requests: Memory::new(request_bytes), limits: Memory::new(limit_bytes) }
    }
}

impl Memory {
    pub fn new(bytes: Option<u64>) -> Memory {
        Memory { memory: bytes.map(quantity) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        let check = |bytes, expect: &str| assert_eq!(quantity(bytes), expect);
        check(512 * MIB, "512Mi");
        check(3 << 30, "3072Mi");
        check(1_000_000_000, "1000000000");
        check(0, "0Mi");
    }

    #[test]
    fn names_stay_text() {
        let names = ["yes", "off", "null", "1e3", "0x1f", "012", "2001-01-01", "1.5", "true", "y", "a.b"];
        let text = document(&["one", "two"], &names).unwrap();
        assert!(text.starts_with("# one\n# two\n"), "{text}");
        for name in names {
            let is_plain = text.contains(&format!("- {name}\n"));
            assert_eq!(is_plain, name == "a.b", "{name}: {text}");
        }
    }
}
