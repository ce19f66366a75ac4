//! A plan in place over another that is in force: they are put back in turn.

use crate::shop::{COMPONENTS, Saved, Shop, plimsoll, said, warned};
use serde_json::{Value, json};

/// Requests of all pods before, by the first plan, and by the second, in Mi.
const MIB: [u64; 3] = [1536, 576, 720];

pub fn plan_on_plan(namespace: &'static str) {
    let shop = Shop::open(namespace, &COMPONENTS[..2]);
    let [first, second] = [applied(&shop, 100, MIB[1]), applied(&shop, 125, MIB[2])];
    assert_eq!(shop.memory_sizes().len(), 2);

    // The sizes of the first are what the second goes back to.
    let refused = warned(&plimsoll(&["rollback", &first.id, "--yes"]), 5);
    assert!(refused.contains(&format!("plimsoll rollback {}", second.id)), "{refused}");
    shop.expect("nothing has changed", MIB[2]);

    said(&plimsoll(&["rollback", "--yes"]));
    shop.expect("the sizes of the first plan", MIB[1]);
    let pod = shop.pods()[0]["metadata"]["name"].as_str().expect("a name").to_string();
    shop.admin.delete(&format!("/api/v1/namespaces/{namespace}/pods/{pod}")).ok();
    shop.expect("a new pod has them too", MIB[1]);
    assert!(shop.is_as_before(), "templates stay");

    said(&plimsoll(&["rollback", "--yes"]));
    shop.expect_as_before();
    assert_eq!([&first, &second].map(outcome), [json!("rolled-back"), json!("rolled-back")]);
}

fn applied(shop: &Shop, percent: u64, mib: u64) -> Saved {
    let plan = shop.plan_of("in-place", percent);
    said(&plimsoll(&["apply", &plan.path, "--yes"]));
    shop.expect("what the plan says", mib);
    plan
}

fn outcome(plan: &Saved) -> Value {
    let history: Value = serde_json::from_str(&said(&plimsoll(&["history", "-o", "json"]))).expect("JSON");
    let entry = history.as_array().expect("entries").iter().find(|entry| entry["id"] == plan.id.as_str());
    entry.expect("it is known")["outcome"].clone()
}
