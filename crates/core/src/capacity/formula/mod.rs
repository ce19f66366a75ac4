//! The formula: memory as a base and so much for each of a role.
