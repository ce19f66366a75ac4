//! What an API server has to allow: one table, of which the roles are made that `plimsoll crd --rbac` prints, the errors that name
//! the role that lacks, and the table in `docs/cluster.md`. `crates/plimsoll/tests/rights.rs` holds it against an audit log: nothing
//! else is asked for, and nothing is granted that is not.

use crate::kinds::{BINDING, GROUP, HOME, POLICY};
use serde_json::{Value, json};

/// What somebody is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// `plimsoll plan` and `history`: looks, and changes nothing.
    Plan,
    /// `plimsoll apply` and `rollback`, and plan.
    Apply,
    /// `plimsoll controller`, which never touches a template and installs nothing.
    Controller,
    /// `plimsoll serve` where it scales ahead of the schedule; it never touches a template either.
    Serve,
    /// `plimsoll serve` where it lets in whom the cluster knows.
    Tokens,
    /// `plimsoll agent`, which changes nothing.
    Agent,
}

/// Where a right is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In every namespace that is looked at or changed, and for what is in none.
    Everywhere,
    /// Only these by name, which are in no namespace.
    Named(&'static [&'static str]),
    /// In the namespace [`HOME`].
    Home,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Right {
    /// Who needs it.
    pub purposes: &'static [Purpose],
    /// The API group; empty for the core one.
    pub group: &'static str,
    /// Kinds as RBAC names them.
    pub kinds: &'static [&'static str],
    /// What is done to them.
    pub verbs: &'static [&'static str],
    /// Where.
    pub place: Place,
    /// What for.
    pub why: &'static str,
}

const ALL: &[Purpose] = &[Purpose::Plan, Purpose::Apply, Purpose::Controller];
const CHANGERS: &[Purpose] = &[Purpose::Apply, Purpose::Controller];
const APPLY: &[Purpose] = &[Purpose::Apply];
const CONTROLLER: &[Purpose] = &[Purpose::Controller];
const SERVE: &[Purpose] = &[Purpose::Serve];
const TOKENS: &[Purpose] = &[Purpose::Tokens];
const AGENT: &[Purpose] = &[Purpose::Agent];

/// Followed, all at once.
const FOLLOWED: &[&str] = &["list", "watch"];

/// The table. RBAC cannot narrow `create` to names, but where an object is made by server-side apply, which says its name.
pub const RIGHTS: &[Right] = &[
    Right {
        purposes: ALL,
        group: "",
        kinds: &["pods", "nodes", "resourcequotas", "limitranges"],
        verbs: FOLLOWED,
        place: Place::Everywhere,
        why: "what runs, and where it fits",
    },
    Right {
        purposes: ALL,
        group: "apps",
        kinds: &["deployments", "statefulsets", "daemonsets", "replicasets"],
        verbs: FOLLOWED,
        place: Place::Everywhere,
        why: "workloads, and whose a pod is",
    },
    Right {
        purposes: ALL,
        group: "autoscaling",
        kinds: &["horizontalpodautoscalers"],
        verbs: FOLLOWED,
        place: Place::Everywhere,
        why: "workloads that are scaled by their memory are left alone",
    },
    Right {
        purposes: ALL,
        group: "autoscaling.k8s.io",
        kinds: &["verticalpodautoscalers"],
        verbs: FOLLOWED,
        place: Place::Everywhere,
        why: "workloads that are sized by it are left alone",
    },
    Right {
        purposes: ALL,
        group: "policy",
        kinds: &["poddisruptionbudgets"],
        verbs: FOLLOWED,
        place: Place::Everywhere,
        why: "how many pods may be missing",
    },
    Right {
        purposes: ALL,
        group: GROUP,
        kinds: &["memorysizes"],
        verbs: FOLLOWED,
        place: Place::Everywhere,
        why: "what new pods get by an earlier plan",
    },
    Right {
        purposes: ALL,
        group: GROUP,
        kinds: &["memorypolicies"],
        verbs: FOLLOWED,
        place: Place::Everywhere,
        why: "workloads whose sizes follow use are the controller's",
    },
    Right {
        purposes: ALL,
        group: "metrics.k8s.io",
        kinds: &["pods"],
        verbs: &["list"],
        place: Place::Everywhere,
        why: "what is used now",
    },
    Right {
        purposes: ALL,
        group: "",
        kinds: &["configmaps"],
        verbs: &["list"],
        place: Place::Home,
        why: "plans that were carried out",
    },
    Right {
        purposes: APPLY,
        group: "",
        kinds: &["configmaps"],
        verbs: &["get", "create", "update"],
        place: Place::Home,
        why: "how far a plan is, and what undoes it",
    },
    Right {
        purposes: CHANGERS,
        group: "coordination.k8s.io",
        kinds: &["leases"],
        verbs: &["get", "create", "update"],
        place: Place::Home,
        why: "one changes the cluster at a time",
    },
    Right {
        purposes: CHANGERS,
        group: "",
        kinds: &["namespaces"],
        verbs: &["get"],
        place: Place::Named(&[HOME]),
        why: "whether it is there",
    },
    Right {
        purposes: CHANGERS,
        group: "",
        kinds: &["pods"],
        verbs: &["get"],
        place: Place::Everywhere,
        why: "a pod is looked at once more before it is resized",
    },
    Right {
        purposes: CHANGERS,
        group: "",
        kinds: &["pods/resize"],
        verbs: &["patch"],
        place: Place::Everywhere,
        why: "sizes of running pods; and a dry run says whether the cluster can",
    },
    Right {
        purposes: CHANGERS,
        group: GROUP,
        kinds: &["memorysizes"],
        verbs: &["create", "patch", "delete"],
        place: Place::Everywhere,
        why: "sizes of new pods",
    },
    Right {
        purposes: APPLY,
        group: GROUP,
        kinds: &["memorysizes"],
        verbs: &["get"],
        place: Place::Everywhere,
        why: "who installs a policy has to be allowed to read what it reads",
    },
    Right {
        purposes: APPLY,
        group: "apps",
        kinds: &["deployments", "statefulsets", "daemonsets"],
        verbs: &["get", "patch"],
        place: Place::Everywhere,
        why: "sizes in templates, where the way is rollout",
    },
    Right {
        purposes: APPLY,
        group: "apiextensions.k8s.io",
        kinds: &["customresourcedefinitions"],
        verbs: &["create", "patch"],
        place: Place::Named(&["memorysizes.plimsoll.dev", "memorypolicies.plimsoll.dev"]),
        why: "our kinds are installed, and kept as they should be",
    },
    Right {
        purposes: APPLY,
        group: "admissionregistration.k8s.io",
        kinds: &["mutatingadmissionpolicies"],
        verbs: &["create", "patch"],
        place: Place::Named(&[POLICY]),
        why: "likewise the policy that sizes new pods",
    },
    Right {
        purposes: APPLY,
        group: "admissionregistration.k8s.io",
        kinds: &["mutatingadmissionpolicybindings"],
        verbs: &["create", "patch"],
        place: Place::Named(&[BINDING]),
        why: "likewise its binding",
    },
    Right {
        purposes: CONTROLLER,
        group: GROUP,
        kinds: &["memorypolicies/status"],
        verbs: &["patch"],
        place: Place::Everywhere,
        why: "how it stands with a policy",
    },
    Right {
        purposes: CONTROLLER,
        group: "events.k8s.io",
        kinds: &["events"],
        verbs: &["create", "patch"],
        place: Place::Everywhere,
        why: "what happened to a workload; patch where it happens again",
    },
    Right {
        purposes: CONTROLLER,
        group: "autoscaling.k8s.io",
        kinds: &["verticalpodautoscalers"],
        verbs: &["create", "patch", "delete"],
        place: Place::Everywhere,
        why: "what is right, where a policy wants it published; they change nothing",
    },
    Right {
        purposes: CONTROLLER,
        group: "autoscaling.k8s.io",
        kinds: &["verticalpodautoscalers/status"],
        verbs: &["patch"],
        place: Place::Everywhere,
        why: "likewise",
    },
    Right {
        purposes: CONTROLLER,
        group: "",
        kinds: &["configmaps"],
        verbs: &["create", "patch"],
        place: Place::Home,
        why: "what it knows and what is under way, for whoever leads next",
    },
    Right {
        purposes: SERVE,
        group: "apps",
        kinds: &["deployments", "statefulsets"],
        verbs: &["get"],
        place: Place::Everywhere,
        why: "how many pods are ready",
    },
    Right {
        purposes: SERVE,
        group: "apps",
        kinds: &["deployments/scale", "statefulsets/scale"],
        verbs: &["patch"],
        place: Place::Everywhere,
        why: "more pods before people come, where nothing else scales them",
    },
    Right {
        purposes: SERVE,
        group: "autoscaling",
        kinds: &["horizontalpodautoscalers"],
        verbs: &["list", "get", "patch"],
        place: Place::Everywhere,
        why: "whether something else scales them; likewise, the least that it keeps",
    },
    Right {
        purposes: SERVE,
        group: "keda.sh",
        kinds: &["scaledobjects"],
        verbs: &["get", "patch"],
        place: Place::Everywhere,
        why: "likewise, the least that KEDA keeps",
    },
    Right {
        purposes: SERVE,
        group: "autoscaling.x-k8s.io",
        kinds: &["capacitybuffers"],
        verbs: &["get", "create", "patch"],
        place: Place::Everywhere,
        why: "likewise, nodes before there are pods",
    },
    Right {
        purposes: SERVE,
        group: "",
        kinds: &["pods"],
        verbs: &["list"],
        place: Place::Everywhere,
        why: "whether one has restarted since",
    },
    Right {
        purposes: TOKENS,
        group: "authentication.k8s.io",
        kinds: &["tokenreviews"],
        verbs: &["create"],
        place: Place::Everywhere,
        why: "whose a token is",
    },
    Right {
        purposes: AGENT,
        group: "",
        kinds: &["pods"],
        verbs: FOLLOWED,
        place: Place::Everywhere,
        why: "whose a cgroup is; only the pods of its own node are asked for",
    },
];

impl Purpose {
    /// As `--rbac` names it.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Plan => "plan",
            Purpose::Apply => "apply",
            Purpose::Controller => "controller",
            Purpose::Serve => "serve",
            Purpose::Tokens => "tokens",
            Purpose::Agent => "agent",
        }
    }

    /// What its roles are called.
    pub fn role(self) -> String {
        format!("plimsoll-{}", self.name())
    }
}

/// The rows that somebody needs.
pub fn rights(purpose: Purpose) -> impl Iterator<Item = &'static Right> {
    RIGHTS.iter().filter(move |right| right.purposes.contains(&purpose))
}

/// A ClusterRole, and where something is needed in the namespace, that and a Role in it; whom they are for is said by bindings.
pub fn roles(purpose: Purpose) -> Vec<Value> {
    let of = |is_home: bool| -> Vec<Value> {
        rights(purpose).filter(|right| (right.place == Place::Home) == is_home).map(rule).collect()
    };
    let role = |kind: &str, metadata: Value, rules: Vec<Value>| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "rules": rules,
        })
    };
    let name = purpose.role();
    let everywhere = role("ClusterRole", json!({"name": name}), of(false));
    let at_home = of(true);
    if at_home.is_empty() {
        return vec![everywhere];
    }
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}}),
        everywhere,
        role("Role", json!({"name": name, "namespace": HOME}), at_home),
    ]
}

fn rule(right: &Right) -> Value {
    let mut rule = json!({"apiGroups": [right.group], "resources": right.kinds, "verbs": right.verbs});
    if let Place::Named(names) = right.place {
        rule["resourceNames"] = json!(names);
    }
    rule
}

/// What would grant what a server has refused, by its own words; `None` where the table has no such right.
pub(crate) fn granted_by(refusal: &str) -> Option<Purpose> {
    let after = |words: &str| refusal.split_once(words).map(|(_, rest)| rest);
    let word = |rest: &'_ str| rest.split('"').next().map(str::to_string);
    let verb = after("cannot ")?.split(' ').next()?;
    let (kind, group) = (word(after("resource \"")?)?, word(after("API group \"")?)?);
    let is_it = |right: &&Right| {
        right.group == group && right.kinds.contains(&kind.as_str()) && right.verbs.contains(&verb)
    };
    RIGHTS.iter().filter(is_it).flat_map(|right| right.purposes).min().copied()
}

/// The table for people, in Markdown.
pub fn table() -> String {
    let head = "| roles | may | where | what for |\n|---|---|---|---|\n".to_string();
    RIGHTS.iter().fold(head, |text, right| {
        let group = if right.group.is_empty() { String::new() } else { format!(" ({})", right.group) };
        let place = match right.place {
            Place::Everywhere => "everywhere".to_string(),
            Place::Named(names) => format!("only `{}`", names.join("`, `")),
            Place::Home => format!("namespace `{HOME}`"),
        };
        let (verbs, kinds) = (right.verbs.join(", "), right.kinds.join(", "));
        let roles = right.purposes.iter().map(|purpose| purpose.name()).collect::<Vec<_>>().join(", ");
        format!("{text}| {roles} | {verbs}: {kinds}{group} | {place} | {} |\n", right.why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_what_people_read() {
        let docs = include_str!("../../../docs/cluster.md");
        assert!(docs.contains(&table()), "docs/cluster.md needs this table:\n{}", table());
    }

    #[test]
    fn a_refusal_is_answered_with_what_grants_it() {
        let check = |what: &str, expect: Option<Purpose>| {
            let refusal = format!("x is forbidden: User \"u\" cannot {what} at the cluster scope");
            assert_eq!(granted_by(&refusal), expect, "{what}");
        };
        check("list resource \"pods\" in API group \"\"", Some(Purpose::Plan));
        check("get resource \"pods\" in API group \"\"", Some(Purpose::Apply));
        check("patch resource \"pods/resize\" in API group \"\"", Some(Purpose::Apply));
        check("patch resource \"deployments\" in API group \"apps\"", Some(Purpose::Apply));
        check("delete resource \"pods\" in API group \"\"", None);
        check("list resource \"pods\" in API group \"metrics.k8s.io\"", Some(Purpose::Plan));
        check("list resource \"nodes\" in API group \"metrics.k8s.io\"", None);
        assert_eq!(granted_by("maximum memory usage per Pod is 1Gi"), None);
    }

    #[test]
    fn nobody_may_what_is_not_theirs() {
        let reads = |right: &Right| right.verbs.iter().all(|verb| ["get", "list", "watch"].contains(verb));
        for purpose in [Purpose::Plan, Purpose::Agent] {
            assert!(rights(purpose).all(reads), "{purpose:?} changes nothing");
        }
        let touches = |right: &Right| {
            right.group == "apps" && !reads(right) && !right.kinds.iter().all(|kind| kind.ends_with("/scale"))
        };
        for purpose in [Purpose::Controller, Purpose::Serve, Purpose::Tokens, Purpose::Agent] {
            assert!(!rights(purpose).any(touches), "{purpose:?} touches no template");
        }
        for planned in rights(Purpose::Plan) {
            assert!(
                planned.purposes.contains(&Purpose::Apply),
                "{planned:?}: who applies looks as who plans"
            );
        }
    }
}
