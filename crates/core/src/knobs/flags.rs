//! Flags: variables that hold a list of them, where ours are added to the user's.

/// Whether one of the words starts with one of these flags.
pub fn has(value: &str, flags: &[&str]) -> bool {
    value.split_whitespace().any(|word| flags.iter().any(|flag| word.trim_matches('"').starts_with(flag)))
}

/// The user's flags, then ours.
pub fn append(user: Option<&str>, ours: &[String]) -> String {
    user.into_iter().map(str::trim).chain(ours.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
}
