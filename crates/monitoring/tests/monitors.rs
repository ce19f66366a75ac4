//! How a Prometheus finds what Plimsoll shows.

use plimsoll_monitoring::monitors;
use serde_json::Value;

/// What agent and controller show is about other pods: their `namespace` and `pod` must not become `exported_namespace` and
/// `exported_pod`, which no rule and no board knows.
#[test]
fn labels_of_others_are_kept() {
    let text = monitors::objects(None, &[]);
    let check = |name: &str, endpoints: &str, expect: bool| {
        let object: Value = text
            .split("---\n")
            .map(|it| serde_saphyr::from_str::<Value>(it).unwrap())
            .find(|it| it["metadata"]["name"] == name)
            .unwrap_or_else(|| panic!("{name}\n{text}"));
        assert_eq!(object["spec"][endpoints][0]["honorLabels"], expect, "{object}");
    };
    check("plimsoll-agent", "podMetricsEndpoints", true);
    check("plimsoll-controller", "podMetricsEndpoints", true);
    check("plimsoll", "endpoints", false);
}
