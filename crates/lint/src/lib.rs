//! What configuration says of memory, and where it is wrong: texts in, findings out. Files are asked of whoever calls.

pub mod document;
pub mod finding;
pub mod source;
