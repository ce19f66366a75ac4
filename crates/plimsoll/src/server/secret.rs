//! Names that nobody can guess, and digests.

use sha2::{Digest, Sha256};

/// So many random bytes, in hexadecimal digits.
///
/// # Errors
///
/// Where the system has no randomness: then it is broken.
pub fn random_hex<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// SHA-256, in hexadecimal digits.
pub fn sha256_hex(of: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(of.as_ref()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
