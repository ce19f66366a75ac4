//! `cluster FOLDER PORT`: a cluster for people, with four nodes of 7 GiB and the workloads of `examples/rightsize` on them, and a
//! Prometheus with two weeks of their memory, until it is killed. `FOLDER/environment` is there once all is ready: where the two are.
//! `make cluster-up` starts it and `make cluster-down` ends it.

use plimsoll_real::cluster::{Cluster, Node, Options};
use plimsoll_real::write::write_in_order;
use plimsoll_real::{hub, prometheus};
use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, port] = arguments.as_slice() else { panic!("cluster FOLDER PORT") };
    let folder = Path::new(folder);
    let port = port.parse().unwrap_or_else(|error| panic!("{port}: {error}"));
    let nodes: Vec<Node> = (1..=4).map(|number| Node::new(&format!("node-{number}"), "7Gi", "4")).collect();
    let cluster = Cluster::start_with(folder, &nodes, &Options { port: Some(port), ..Options::default() });
    let recorded = hub::recorded();
    hub::open(&cluster, &recorded);
    let prometheus = prometheus(folder, &[]);
    write_in_order(&prometheus, &recorded);
    let kubeconfig = folder.join("kubeconfig");
    std::fs::copy(&cluster.kubeconfig, &kubeconfig).expect("the kubeconfig");
    let exports =
        format!("export KUBECONFIG={}\nexport PROMETHEUS={}\n", kubeconfig.display(), prometheus.url);
    // All of it at once.
    std::fs::write(folder.join("environment.part"), exports).expect("where they are");
    std::fs::rename(folder.join("environment.part"), folder.join("environment")).expect("where they are");
    loop {
        std::thread::park();
    }
}
