//! Made-up apps whose truth is known, and what is found of it.

mod properties;
mod truths;
