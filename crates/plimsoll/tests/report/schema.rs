//! A report's JSON is as its published schema says.

use crate::common::PLIMSOLL;
use crate::said;
use crate::shop::Shop;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

pub fn schema(shop: &Shop) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/period-report.schema.json");
    let text = std::fs::read_to_string(file).expect("the schema");
    let printed = Command::new(PLIMSOLL).args(["schema", "period-report"]).output().expect("plimsoll starts");
    assert_eq!(said(&printed), text);
    let schema: Value = serde_json::from_str(&text).expect("JSON");

    let store = shop.store();
    let whole = shop.json(&["--source", &shop.prometheus.url, "--store", &store]);
    let builds = shop.json(&["--store", &store]);
    assert!(whole["money"].is_object() && builds["money"].is_null());
    for report in [&whole, &builds] {
        assert_eq!(wrong(&schema, &schema, "", report), [""; 0]);
    }
    let check = |at: &str, change: &dyn Fn(&mut Value), expect: &str| {
        let mut report = whole.clone();
        change(report.pointer_mut(at).expect("it is there"));
        assert_eq!(wrong(&schema, &schema, "", &report), [expect]);
    };
    check("", &|it| drop(it.as_object_mut().expect("an object").remove("counts")), ": required");
    check("/period", &|it| it["month"] = json!(1), "/period/month: not in the schema");
    check("/money/per_month", &|it| *it = json!(1.5), "/money: anyOf");
    check("/killed/findings/0/severity", &|it| *it = json!("bad"), "/killed/findings/0/severity: oneOf");
    check("/killed/more", &|it| *it = json!(-1), "/killed/more: minimum");
    check("/sources/1/remarks", &|it| *it = Value::Null, "/sources/1/remarks: type");
}

/// Where a value is not as a schema says, and by which word. A word that is not known here fails: what is not looked at is not held.
fn wrong(root: &Value, schema: &Value, at: &str, value: &Value) -> Vec<String> {
    let inner = |schema: &Value, at: &str, value: &Value| wrong(root, schema, at, value);
    let fitting = |of: &Value| {
        let all = of.as_array().expect("schemas");
        all.iter().filter(|schema| inner(schema, at, value).is_empty()).count()
    };
    let mut found = Vec::new();
    for (word, of) in schema.as_object().expect("a schema") {
        let holds = match word.as_str() {
            "$schema" | "$defs" | "title" | "description" | "format" => true,
            "$ref" => {
                let pointer = of.as_str().and_then(|it| it.strip_prefix('#')).expect("a pointer");
                found.extend(inner(root.pointer(pointer).expect("a definition"), at, value));
                true
            }
            "properties" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    let at = format!("{at}/{key}");
                    match of.get(key) {
                        Some(schema) => found.extend(inner(schema, &at, value)),
                        None => found.push(format!("{at}: not in the schema")),
                    }
                }
                true
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(inner(of, &format!("{at}/{index}"), value));
                }
                true
            }
            "required" => of
                .as_array()
                .expect("keys")
                .iter()
                .all(|key| value.get(key.as_str().expect("a key")).is_some()),
            "type" => {
                of.as_array().map_or(vec![of], |all| all.iter().collect()).into_iter().any(|of| is(of, value))
            }
            "const" => of == value,
            "enum" => of.as_array().expect("values").contains(value),
            "minimum" => value.as_f64().is_none_or(|value| value >= of.as_f64().expect("a number")),
            "anyOf" => fitting(of) > 0,
            "oneOf" => fitting(of) == 1,
            _ => panic!("{at}: {word} is not known here"),
        };
        if !holds {
            found.push(format!("{at}: {word}"));
        }
    }
    found
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str().expect("a type") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    }
}
