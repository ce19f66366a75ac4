//! The gauge: candidates for the budget, collected.
