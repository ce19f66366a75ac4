//! Ahead of the schedule: `plimsoll serve` on a real API server with its controllers, killed and restarted; kubelets are played by kwok.

#[path = "../common/mod.rs"]
#[allow(dead_code)]
mod common;
mod killed;
#[path = "../serve/served.rs"]
#[allow(dead_code)]
mod served;
mod town;
mod ways;
