//! PSI: pressure stall information, and triggers that wake a poll.
