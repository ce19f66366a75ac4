//! `cluster FOLDER PORT`: a cluster for people, with four nodes of 7 GiB, until it is killed. `FOLDER/kubeconfig` is there once it
//! is ready. `make cluster-up` starts it and `make cluster-down` ends it.

use plimsoll_real::cluster::{Cluster, Node, Options};
use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, port] = arguments.as_slice() else { panic!("cluster FOLDER PORT") };
    let folder = Path::new(folder);
    let port = port.parse().unwrap_or_else(|error| panic!("{port}: {error}"));
    let nodes: Vec<Node> = (1..=4).map(|number| Node::new(&format!("node-{number}"), "7Gi", "4")).collect();
    let cluster = Cluster::start_with(folder, &nodes, &Options { port: Some(port), ..Options::default() });
    std::fs::copy(&cluster.kubeconfig, folder.join("kubeconfig")).expect("the kubeconfig");
    loop {
        std::thread::park();
    }
}
