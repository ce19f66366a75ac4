//! A real control plane, and kubelets played by kwok.

use plimsoll_real::cluster::{Cluster, Node};
use std::path::Path;

#[test]
fn starts() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let t = std::time::Instant::now();
    let c = Cluster::start(&folder, &[Node::new("n1", "7Gi", "4"), Node::new("n2", "7Gi", "4")]);
    eprintln!("{:?}", t.elapsed());
    c.restart_apiserver();
    eprintln!("{:?} {}", t.elapsed(), c.admin().get("/api/v1/nodes/n1").body);
}
