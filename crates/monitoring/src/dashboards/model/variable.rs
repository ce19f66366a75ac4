//! What people choose by at the top of a board.

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// As queries have it after a `$`.
    pub name: &'static str,
    /// As people see it.
    pub label: &'static str,
    /// Where its values come from.
    pub values: Values,
}

/// Where the values of a variable come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// Data sources of Grafana that are a Prometheus.
    Sources,
    /// Values that a label has. Several may be chosen; all of them match a label that is not there, too: a host without Kubernetes
    /// has no namespace.
    Label {
        /// Of these series.
        series: String,
        /// This label.
        label: String,
    },
}

impl Variable {
    pub(in crate::dashboards) fn sources() -> Variable {
        Variable { name: "datasource", label: "Data source", values: Values::Sources }
    }

    pub(in crate::dashboards) fn label(
        name: &'static str,
        label: &'static str,
        series: String,
        of: &str,
    ) -> Variable {
        Variable { name, label, values: Values::Label { series, label: of.to_string() } }
    }

    /// The query Grafana asks for its values.
    pub fn query(&self) -> String {
        match &self.values {
            Values::Sources => "prometheus".to_string(),
            Values::Label { series, label } => format!("label_values({series}, {label})"),
        }
    }
}
