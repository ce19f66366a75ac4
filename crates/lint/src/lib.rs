//! What configuration says of memory, and where it is wrong: texts in, findings out. Files are asked of whoever calls.

pub mod document;
pub mod finding;
pub mod gitlab;
pub mod kind;
pub mod kubernetes;
pub mod project;
pub mod runs;
pub mod source;
