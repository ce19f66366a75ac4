//! Admission: how many jobserver tokens may be out, by promised growth.
