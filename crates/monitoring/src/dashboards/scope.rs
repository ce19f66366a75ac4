//! Pieces of the boards' queries: series of what has been chosen at the top, by whoever shows them.

use super::model::{Colour, Variable};
use crate::names;
use crate::recording::{Keys, braces};
use crate::settings::{Settings, Usage};

/// Hours of a month, as in [`crate::recording`].
pub(super) const MONTH_HOURS: u32 = 730;
/// Bytes of a GiB.
pub(super) const GIB: &str = "1073741824";
/// The label of a build's project.
pub(super) const PROJECT: &str = "project";
/// The label of a build's job: `job` is Prometheus' own.
pub(super) const JOB: &str = "job_name";

/// See the module.
pub(super) struct Scope<'a> {
    pub settings: &'a Settings,
    pub keys: Keys,
    cluster: String,
    namespace: String,
}

impl Scope<'_> {
    pub fn of(settings: &Settings) -> Scope<'_> {
        Scope {
            keys: Keys::of(settings),
            cluster: format!("{}=~\"$cluster\"", settings.cluster_label),
            namespace: "namespace=~\"$namespace\"".to_string(),
            settings,
        }
    }

    /// A recorded series of the chosen namespaces.
    pub fn named(&self, metric: &str) -> String {
        braces(metric, &[&self.cluster, &self.namespace])
    }

    /// The same with one more matcher.
    pub fn named_where(&self, metric: &str, matcher: &str) -> String {
        braces(metric, &[&self.cluster, &self.namespace, matcher])
    }

    /// A recorded series of the chosen clusters.
    pub fn whole(&self, metric: &str) -> String {
        braces(metric, &[&self.cluster])
    }

    /// A series of the agent's about itself.
    pub fn agents(&self, metric: &str) -> String {
        braces(metric, &[&self.settings.selectors.agent, &self.cluster])
    }

    /// A series of the agent's about the chosen namespaces.
    pub fn agent(&self, metric: &str, matcher: &str) -> String {
        braces(metric, &[&self.settings.selectors.agent, &self.cluster, &self.namespace, matcher])
    }

    /// A gauge of the agent's, once for each container.
    pub fn gauge(&self, metric: &str) -> String {
        let selector = [&self.settings.selectors.agent, &self.cluster, &self.namespace]
            .map(|it| it.trim_end_matches(','));
        let set: Vec<&str> = selector.into_iter().filter(|it| !it.is_empty()).collect();
        format!("({})", self.keys.unique(metric, &set.join(",")))
    }

    /// How fast a counter of the agent's grows, once for each container.
    pub fn rate(&self, metric: &str, more: &str) -> String {
        let matcher = |pod: &str| if more.is_empty() { pod.to_string() } else { format!("{pod},{more}") };
        let of = |by: &str, pod: &str| {
            format!("max by ({by}) (rate({}[$__rate_interval]))", self.agent(metric, &matcher(pod)))
        };
        format!("({}\nor\n{})", of(&self.keys.pod, "pod!=\"\""), of(&self.keys.host, "pod=\"\""))
    }

    /// A gauge of the service's, the same from all replicas.
    pub fn service(&self, metric: &str, by: &str, matcher: &str) -> String {
        let cluster = &self.settings.cluster_label;
        let by = if by.is_empty() { cluster.clone() } else { format!("{cluster}, {by}") };
        format!(
            "max by ({by}) ({})",
            braces(metric, &[&self.settings.selectors.service, &self.cluster, matcher])
        )
    }

    /// A counter of the service's, which each replica counts for itself.
    pub fn asked(&self, metric: &str) -> String {
        braces(metric, &[&self.settings.selectors.service, &self.cluster])
    }

    /// A gauge of builds, of the chosen projects and jobs.
    pub fn build(&self, metric: &str, by: &str, matcher: &str) -> String {
        let chosen = format!("{PROJECT}=~\"$project\",{JOB}=~\"$ci_job\"");
        let matchers = if matcher.is_empty() { chosen } else { format!("{chosen},{matcher}") };
        let by = if by.is_empty() { String::new() } else { format!(", {by}") };
        self.service(metric, &format!("{PROJECT}, {JOB}{by}"), &matchers)
    }

    /// A series of the controller's about the chosen namespaces.
    pub fn controller(&self, metric: &str, matcher: &str) -> String {
        braces(metric, &[&self.settings.selectors.controller, &self.cluster, &self.namespace, matcher])
    }

    /// A series of the controller's about itself.
    pub fn controllers(&self, metric: &str, matcher: &str) -> String {
        braces(metric, &[&self.settings.selectors.controller, &self.cluster, matcher])
    }

    /// Bytes in money per month.
    pub fn priced(&self, bytes: &str) -> String {
        let cluster = &self.settings.cluster_label;
        format!(
            "{bytes} / {GIB} * on ({cluster}) group_left () {} * {MONTH_HOURS}",
            self.whole(names::GIB_COST)
        )
    }

    /// 0 where an agent watches, and nothing where none does.
    pub fn zero_where_watched(&self) -> String {
        format!("0 * sum({})", self.agents("plimsoll_agent_cgroups"))
    }

    /// Kills of the chosen namespaces in the time that is looked at, by what outlives pods. Of what was not there when it began, all
    /// count: a container that is first seen with a kill has no increase.
    pub fn kills(&self) -> String {
        let kills = self.agent("plimsoll_oom_kills_total", "");
        format!("({kills} unless {kills} offset $__range) or increase({kills}[$__range])")
    }

    /// Variables that all boards have.
    pub fn variables(&self, series: &str) -> Vec<Variable> {
        vec![
            Variable::sources(),
            Variable::label("cluster", "Cluster", series.to_string(), &self.settings.cluster_label),
        ]
    }

    /// The namespaces of these series.
    pub fn namespaces(&self, series: &str) -> Variable {
        Variable::label("namespace", "Namespace", self.whole(series), "namespace")
    }

    /// The tiers of alerts as colours.
    pub fn tiers(usage: &Usage) -> [(f64, Colour); 3] {
        [
            (usage.warning.above, Colour::Look),
            (usage.critical.above, Colour::Act),
            (usage.emergency.above, Colour::Bad),
        ]
    }
}
