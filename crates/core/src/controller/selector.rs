//! Label selectors, as Kubernetes has them
//! (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>).

use std::collections::BTreeMap;

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// All of its terms have to hold; one without any selects everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector(pub Vec<Term>);

/// What is asked of one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// It is one of these.
    In(String, Vec<String>),
    /// It is none of these, or is not there.
    NotIn(String, Vec<String>),
    /// It is there.
    Exists(String),
    /// It is not there.
    DoesNotExist(String),
}

impl Selector {
    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|term| match term {
            Term::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Term::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Term::Exists(key) => labels.contains_key(key),
            Term::DoesNotExist(key) => !labels.contains_key(key),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_as_kubernetes_has_them() {
        let labels = Labels::from([("app".into(), "web".into())]);
        let check = |terms: &[Term], expect| {
            assert_eq!(Selector(terms.to_vec()).matches(&labels), expect, "{terms:?}");
        };
        let web = || vec!["web".to_string(), "api".to_string()];
        check(&[], true);
        check(&[Term::In("app".into(), web())], true);
        check(&[Term::In("tier".into(), web())], false);
        check(&[Term::NotIn("app".into(), web())], false);
        check(&[Term::NotIn("tier".into(), web())], true);
        check(&[Term::Exists("app".into()), Term::DoesNotExist("tier".into())], true);
        check(&[Term::Exists("app".into()), Term::Exists("tier".into())], false);
        check(&[Term::DoesNotExist("app".into())], false);
    }
}
