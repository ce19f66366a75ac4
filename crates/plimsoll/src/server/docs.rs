//! `/docs`: what the API takes and answers, from the same document that programs read at `/openapi.json`.

use super::problem::Code;
use crate::render::html::{STYLE, document, escape};
use serde_json::{Value, json};
use std::fmt::Write;

const MORE: &str = "section{border-top:1px solid var(--line);margin-top:1.5rem}h2 b{color:var(--sea);font-weight:600;margin-right:.5rem}\
summary{cursor:pointer;color:var(--soft)}pre{overflow-x:auto}";

/// The page of an OpenAPI document.
pub fn page(api: &Value) -> String {
    let text = |pointer: &str| escape(api.pointer(pointer).and_then(Value::as_str).unwrap_or_default());
    let mut body = format!(
        "<h1>{}</h1>\n<p>{}</p>\n<p class=\"soft\">For programs: <a href=\"/openapi.json\">openapi.json</a></p>\n",
        text("/info/title"),
        text("/info/description"),
    );
    for (path, methods) in entries(&api["paths"]) {
        for (method, operation) in entries(methods) {
            operation_of(&mut body, path, method, operation);
        }
    }
    body += "<section id=\"problems\"><h2>Problems</h2>\n<p>Each is <code>application/problem+json</code> (RFC 9457).</p>\n<table>\n";
    for code in Code::ALL {
        let (name, status, title) = code.said();
        let _ = writeln!(
            body,
            "<tr id=\"{name}\"><th><code>{name}</code></th><td>{}</td><td>{title}</td></tr>",
            status.as_u16()
        );
    }
    body += "</table></section>\n<section id=\"schemas\"><h2>Schemas</h2>\n";
    for (name, schema) in entries(&api["components"]["schemas"]) {
        let shown = serde_json::to_string_pretty(schema).unwrap_or_default();
        let name = escape(name);
        let _ = writeln!(
            body,
            "<details id=\"schema-{name}\"><summary><code>{name}</code></summary><pre>{}</pre></details>",
            escape(&shown)
        );
    }
    body += "</section>\n";
    document("API", &format!("{STYLE}{MORE}"), &body)
}

/// Says of each operation that what goes wrong is a problem, and of what type that is.
pub fn with_problems(api: &mut Value) {
    let problem = json!({"$ref": "#/components/schemas/Problem"});
    let of_problem = json!({"application/problem+json": {"schema": problem}});
    let paths = api["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    let operations =
        paths.flat_map(|methods| methods.as_object_mut().into_iter().flat_map(|it| it.values_mut()));
    for operation in operations {
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        let of = responses.values_mut().filter(|it| it["content"]["application/json"]["schema"] == problem);
        of.for_each(|response| response["content"] = of_problem.clone());
        let otherwise =
            json!({"description": "what is wrong otherwise, see Problems", "content": of_problem});
        responses.insert("default".to_string(), otherwise);
    }
}

/// Says how large numbers may be that are never below 0: utoipa takes 32 bits of them for signed ones.
pub fn with_unsigned(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("format") == Some(&json!("int32")) && members.get("minimum") == Some(&json!(0)) {
                members.remove("format");
                members.entry("maximum").or_insert(json!(u32::MAX));
            }
            members.values_mut().for_each(with_unsigned);
        }
        Value::Array(members) => members.iter_mut().for_each(with_unsigned),
        _ => {}
    }
}

fn operation_of(body: &mut String, path: &str, method: &str, operation: &Value) {
    let text = |key: &str| escape(operation[key].as_str().unwrap_or_default());
    let _ = writeln!(
        body,
        "<section><h2><b>{}</b><code>{}</code></h2>\n<p>{}</p>\n<p class=\"soft\">{}</p>",
        escape(&method.to_uppercase()),
        escape(path),
        text("summary"),
        text("description"),
    );
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let rows: String = parameters.map(parameter).collect();
    if !rows.is_empty() {
        let _ = writeln!(body, "<table>{rows}</table>");
    }
    if let Some(name) = schema_of(&operation["requestBody"]) {
        let _ = writeln!(body, "<p>Body: {}</p>", link(&name));
    }
    body.push_str("<table>");
    for (status, response) in entries(&operation["responses"]) {
        let said = escape(response["description"].as_str().unwrap_or_default());
        let schema = schema_of(response).map(|name| link(&name)).unwrap_or_default();
        let _ = write!(body, "<tr><th>{}</th><td>{said}</td><td>{schema}</td></tr>", escape(status));
    }
    body.push_str("</table></section>\n");
}

fn parameter(parameter: &Value) -> String {
    let text = |key: &str| escape(parameter[key].as_str().unwrap_or_default());
    format!(
        "<tr><th><code>{}</code></th><td>{}</td><td>{}</td></tr>",
        text("name"),
        text("in"),
        text("description")
    )
}

/// The schema that a body or an answer has, by name.
fn schema_of(body: &Value) -> Option<String> {
    let (_, content) = entries(&body["content"]).next()?;
    let schema = &content["schema"];
    let reference = schema["$ref"].as_str().or_else(|| schema["items"]["$ref"].as_str())?;
    reference.rsplit('/').next().map(str::to_string)
}

fn link(name: &str) -> String {
    let name = escape(name);
    format!("<a href=\"#schema-{name}\"><code>{name}</code></a>")
}

fn entries(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}
