//! The host: memory, cores, resource limits.
