//! `plimsoll run`: the session and its parts.

mod attempt;
mod cleanup;
mod cpu;
mod curve;
mod dry;
mod outputs;
mod saved;
mod session;
mod tree;
mod watch;

pub use session::run;
