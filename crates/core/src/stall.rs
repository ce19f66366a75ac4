//! Stalls: livelock at the limit and garbage collection near it, seen from outside within seconds.
