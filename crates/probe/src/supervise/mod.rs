//! Supervision: starting the command, passing its output through, reaping, pausing and ending its tree.
