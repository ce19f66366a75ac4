//! Amounts of memory whose unit is not the one that was meant: `512m` is half a byte.

use crate::document::Node;
use crate::finding::{Edit, Findings, Fix};
use crate::gitlab::runner::Part;
use crate::project::Project;
use crate::source::Span;
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::size::MIB;

/// No container runs in less: the smallest that a runtime starts.
const LEAST_BYTES: u64 = MIB;

pub fn check(project: &Project, findings: &mut Findings) {
    for container in project.workloads.iter().flat_map(|workload| &workload.containers) {
        for which in ["requests", "limits"] {
            container.size(which, "memory").into_iter().for_each(|node| judge(project, node, findings));
        }
    }
    for part in Part::ALL {
        for is_limit in [true, false] {
            for runner in &project.runners {
                for key in [part.key(is_limit), part.max_key(is_limit)] {
                    runner.setting(&key).into_iter().for_each(|node| judge(project, node, findings));
                }
            }
            let name = part.variable(is_limit);
            let variables = project.jobs.iter().flat_map(|job| job.variants.iter().flatten());
            for variable in variables.filter(|variable| variable.name == name) {
                judge(project, &variable.value, findings);
            }
        }
    }
}

fn judge(project: &Project, node: &Node, findings: &mut Findings) {
    let Some(text) = node.text().filter(|text| !text.is_empty() && !text.contains(['$', '{'])) else {
        return;
    };
    let message = match Quantity::try_from(text.to_string()) {
        Ok(quantity) if quantity.bytes() >= LEAST_BYTES || quantity.bytes() == 0 => return,
        Ok(quantity) if text.ends_with('m') => {
            format!(
                "{text} is thousandths of a byte, {} in all: Kubernetes' m is milli",
                bytes(quantity.bytes())
            )
        }
        Ok(quantity) => format!("{text} is {}: no container runs in that", bytes(quantity.bytes())),
        Err(_) => format!("{text} is no amount of memory to Kubernetes, which refuses it"),
    };
    findings.push(node.span, message, mended(project, node.span, text));
}

fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".into() } else { format!("{count} bytes") }
}

/// The unit that was meant, where there is one.
fn mended(project: &Project, span: Span, text: &str) -> Fix {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    let unit = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "k" | "kb" | "ki" | "kib" => "Ki",
        "m" | "mb" | "mi" | "mib" => "Mi",
        "g" | "gb" | "gi" | "gib" => "Gi",
        "t" | "tb" | "ti" | "tib" => "Ti",
        _ => return crate::finding::advice("write it with Mi or Gi, such as 512Mi"),
    };
    let meant = format!("{digits}{unit}");
    let raw = project.raw(span);
    let is_safe =
        raw.trim_matches(['"', '\'']) == text && meant != text && Quantity::try_from(meant.clone()).is_ok();
    let edit = Edit { span, text: raw.replacen(text, &meant, 1) };
    Fix {
        text: format!("{meant}, where that is meant"),
        edits: if is_safe { vec![edit] } else { Vec::new() },
    }
}
