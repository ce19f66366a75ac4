//! The jobserver: a GNU make token pool whose size follows memory.
