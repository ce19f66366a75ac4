//! /proc: the process tree and what each process holds.
