//! The chart's README lists all values, as the schema describes them and `values.yaml` sets them.

use crate::files::is_golden;
use crate::helm::chart;
use serde_json::Value;

const BEGIN: &str = "<!-- values: made by `UPDATE_GOLDEN=1 cargo test --workspace --test chart` -->\n";
const END: &str = "<!-- end of values -->\n";

fn read(name: &str) -> String {
    std::fs::read_to_string(chart().join(name)).expect("a file of the chart")
}

/// A value: where it is, what it is set to, and what it is for.
struct Row {
    key: String,
    default: Value,
    description: String,
}

/// All values of a schema that are not made of others.
fn rows(schema: &Value, values: &Value, prefix: &str, all: &mut Vec<Row>) {
    let properties = schema["properties"].as_object().expect("properties");
    assert_eq!(schema["additionalProperties"], false, "{prefix}: takes what it does not know");
    for (name, below) in properties {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let description = below["description"].as_str().unwrap_or_else(|| panic!("{key} is not described"));
        let default = values.get(name).unwrap_or_else(|| panic!("{key} is not in values.yaml"));
        if below.get("properties").is_some() {
            rows(below, default, &key, all);
        } else {
            all.push(Row { key, default: default.clone(), description: description.to_string() });
        }
    }
    let keys = values.as_object().expect("values").keys();
    let unknown: Vec<_> = keys.filter(|key| !properties.contains_key(*key)).collect();
    assert!(unknown.is_empty(), "{prefix}: in values.yaml and not in the schema: {unknown:?}");
}

#[test]
fn all_values_are_described() {
    let schema: Value = serde_json::from_str(&read("values.schema.json")).expect("JSON");
    let values: Value = serde_saphyr::from_str(&read("values.yaml")).expect("YAML");
    let mut all = Vec::new();
    rows(&schema, &values, "", &mut all);
    let line = |Row { key, default, description }: &Row| {
        let default = match default {
            Value::String(text) if text.is_empty() => String::new(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        format!("| `{key}` | {default} | {description} |\n")
    };
    let lines: String = all.iter().map(line).collect();
    let text = read("README.md");
    let (before, rest) = text.split_once(BEGIN).expect("a place for values");
    let (_, after) = rest.split_once(END).expect("their end");
    let table = format!("| value | default | what it is |\n|---|---|---|\n{lines}");
    is_golden(&chart().join("README.md"), &format!("{before}{BEGIN}{table}{END}{after}"));
}
