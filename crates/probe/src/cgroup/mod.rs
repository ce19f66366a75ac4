//! Memory cgroups: finding, reading, making and ending them, v1, v2 and hybrid.
