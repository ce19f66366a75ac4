//! The recommendation: the request and limit a job needs, with its evidence.
