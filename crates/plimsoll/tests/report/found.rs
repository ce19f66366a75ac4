//! What is found in the cluster and in builds, and what it costs.

use crate::common::{PLIMSOLL, cgroups};
use crate::shop::Shop;
use crate::{finding, subjects};
use plimsoll_core::size::{GIB, MIB};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

pub fn cluster(shop: &Shop) {
    let report = shop.json(&["--source", &shop.prometheus.url]);
    assert_eq!(report["schema"], "plimsoll.report/1");
    assert_eq!(report["period"]["seconds"], 7 * 86_400);
    let [cluster, builds, capacity] = [0, 1, 2].map(|index| report["sources"][index].clone());
    assert_eq!((&cluster["asked"], &cluster["from"]), (&true.into(), &shop.prometheus.url.clone().into()));
    assert_eq!((&builds["asked"], &capacity["asked"]), (&false.into(), &false.into()));
    assert_eq!(report["killed"]["unknown"][0], "builds: not asked; --store DIR that plimsoll run has filled");

    assert_eq!(subjects(&report, "grew"), ["shop/web"]);
    let web = finding(&report, "grew", "shop/web");
    assert!(
        web["what"].as_str().is_some_and(|what| what.starts_with("holds ") && what.ends_with("+40 %")),
        "{web}"
    );
    assert!(
        web["evidence"].as_str().is_some_and(|it| it.starts_with("not reclaimable, 7 of 7 days")),
        "{web}"
    );

    assert_eq!(subjects(&report, "wasted"), ["shop/api"]);
    assert_eq!(finding(&report, "wasted", "shop/api")["severity"], "warning");

    assert_eq!(subjects(&report, "killed"), ["shop/worker", "job package of group/shop"]);
    let worker = finding(&report, "killed", "shop/worker");
    // Two sources tell of it; it is not counted twice. Status tells of one restart where the counter rose by two.
    assert_eq!((&worker["kills"], &worker["severity"]), (&2.into(), &"critical".into()), "{worker}");
    assert_eq!(worker["what"], "2 kills, 1 in the period before");
    let package = finding(&report, "killed", "job package of group/shop");
    assert_eq!((&package["kills"], &package["what"]), (&2.into(), &"2 kills, 0 in the period before".into()));

    // What is in danger comes first, and is told to save nothing.
    assert_eq!(subjects(&report, "change"), ["shop/worker", "shop/api"]);
    let worker = finding(&report, "change", "shop/worker");
    assert!(
        worker["evidence"].as_str().is_some_and(|it| it.starts_with("killed 2 times: killed at 256 MiB")),
        "{worker}"
    );
    let plan = format!("plimsoll plan --source {} -n shop --save plan.json", shop.prometheus.url);
    assert_eq!(worker["next"], plan);
    assert_eq!(shop.json(&["--source", &shop.prometheus.url]), report, "the same again");

    let none = shop.json(&["--prometheus", &shop.prometheus.url, "--since", "1d", "-n", "shop"]);
    assert_eq!(subjects(&none, "grew"), [""; 0], "a day beside the day before");
}

pub fn builds(shop: &Shop) {
    let report = shop.json(&["--store", &shop.store()]);
    assert_eq!((&report["sources"][0]["asked"], &report["money"]), (&false.into(), &Value::Null));
    assert_eq!(report["grew"]["unknown"][0], "cluster: not asked; --source URL of a Prometheus");
    let killed = subjects(&report, "killed");
    let of = |job: &str| {
        killed
            .iter()
            .copied()
            .find(|it| it.starts_with(&format!("job {job} of ")))
            .unwrap_or_else(|| panic!("{report:#}"))
    };
    let bundle = finding(&report, "killed", of("bundle"));
    let what = "1 of 1 run died of memory, the last one too, 0 died in the period before";
    assert_eq!((&bundle["severity"], &bundle["what"]), (&"critical".into(), &what.into()), "{bundle}");
    if cgroups() {
        let link = finding(&report, "killed", of("link"));
        assert_eq!(link["severity"], "critical", "{link}");
        assert!(link["kills"].as_u64().is_some_and(|kills| kills >= 1), "{link}");
        let next = link["next"].as_str().expect("a command");
        let diagnosed = Command::new("/bin/sh")
            .args(["-c", next])
            .env("PATH", Path::new(PLIMSOLL).parent().expect("a folder"))
            .output();
        let diagnosed = diagnosed
            .map_or_else(|error| error.to_string(), |it| String::from_utf8_lossy(&it.stdout).into_owned());
        assert!(diagnosed.contains("died of memory"), "{next}: {diagnosed}");
    }
    assert!(!killed.iter().any(|it| it.contains("unit")), "{report:#}");
}

pub fn money(shop: &Shop) {
    let url = shop.prometheus.url.as_str();
    let cents = |of: &Value| of.as_str().expect("money").parse::<f64>().expect("a number");
    let near = |of: &Value, expect: f64| assert!((cents(of) - expect).abs() < 0.005, "{of} is not {expect}");
    let report = shop.json(&["--source", url]);
    let found = &report["money"];
    // Two of 2048, 512 and 256 MiB at 0.005 for a GiB and hour, 730 hours a month; two of 4096 the week before.
    assert_eq!(found["requested_bytes"], 2 * 2 * GIB + 768 * MIB);
    near(&found["per_month"], 4.75 * 730.0 * 0.005);
    near(&found["mean_per_month"], 4.75 * 730.0 * 0.005);
    near(&found["before_per_month"], 8.75 * 730.0 * 0.005);
    near(&found["saved_per_month"], 4.0 * 730.0 * 0.005);
    assert_eq!(found["price_source"], "OpenCost's node_ram_hourly_cost, the mean of all nodes");
    assert_eq!(found["possible_per_month"], finding(&report, "wasted", "shop/api")["per_month"]);
    assert!(cents(&found["possible_per_month"]) < cents(&found["per_month"]));
    let named = shop.json(&["--source", url, "--gib-hour-price", "0.01"]);
    near(&named["money"]["per_month"], 4.75 * 730.0 * 0.01);
    assert_eq!(named["money"]["price_source"], "--gib-hour-price");
}
