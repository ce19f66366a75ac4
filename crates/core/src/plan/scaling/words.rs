//! The advice in words: a short form for a reason, and lines for who wants to act on it.

use super::{Outcome, Resized, ScalingAdvice};
use crate::inventory::WorkloadId;
use crate::inventory::quantity::Quantity;
use crate::size::human;

impl ScalingAdvice {
    /// Why the workload is left alone, and what its autoscaler comes to where that is known.
    pub fn reason(&self) -> String {
        let why = match self.target_percent {
            Some(_) => {
                "memory as a share of the request, and another request would change how many pods it wants"
            }
            None => "memory, and its target and the sizes of its pods belong together",
        };
        let comes_to = match self.outcome {
            Outcome::PinsMax | Outcome::NeverShrinks | Outcome::RestsAboveMin => {
                format!("; {}: {}", self.comes_to(), self.compared())
            }
            Outcome::NoRequest => format!("; {}", self.comes_to()),
            Outcome::Follows | Outcome::UseUnknown => String::new(),
        };
        let todo = "let it go by CPU or by a metric of the work first";
        format!("HorizontalPodAutoscaler '{}' goes by {why}{comes_to}; {todo}", self.autoscaler)
    }

    /// What the reason does not say: its target, what it costs or is not known, and what to do instead.
    pub fn lines(&self) -> Vec<String> {
        let found = match self.outcome {
            Outcome::PinsMax | Outcome::NeverShrinks | Outcome::RestsAboveMin => self.costs(),
            Outcome::Follows => format!("; {}: {}", self.comes_to(), self.compared()),
            Outcome::UseUnknown => format!("; {}; {}", self.comes_to(), self.to_look_at()),
            Outcome::NoRequest => String::new(),
        };
        let mut lines = vec![format!("target: {}", self.target()), format!("pods: {}{found}", self.pods())];
        if !matches!(self.outcome, Outcome::NoRequest | Outcome::Follows) {
            lines.push(format!(
                "instead: let it go by its load, as an external metric (KEDA, prometheus-adapter), such as {} and \
                 what a pod bears of it",
                self.example_query
            ));
        }
        lines.extend(self.raised());
        lines.push(format!("sizes: {}", self.sizes()));
        lines
    }

    fn target(&self) -> String {
        let whose = match &self.container {
            Some(container) => format!("container '{container}' of a pod"),
            None => "a pod".to_string(),
        };
        match (self.target_percent, self.target_bytes) {
            (Some(percent), Some(bytes)) => {
                format!("{} for {whose}, which is {percent} % of its request", human(bytes))
            }
            (Some(percent), None) => format!("{percent} % of the request of {whose}"),
            (None, bytes) => format!("{} for {whose}", human(bytes.unwrap_or(0))),
        }
    }

    fn pods(&self) -> String {
        let held = if self.is_held_at_max { " (it wants more: TooManyReplicas)" } else { "" };
        format!("{} now{held}, {} to {}", self.replicas, self.min_replicas, self.max_replicas)
    }

    fn comes_to(&self) -> String {
        let resting = self.resting_replicas.unwrap_or(self.max_replicas);
        match self.outcome {
            Outcome::PinsMax => format!("it goes to its most, {resting} pods, and stays there whatever the load"),
            Outcome::NeverShrinks => "it never takes a pod away that a peak has brought".to_string(),
            Outcome::RestsAboveMin => format!("without load it keeps {resting} pods"),
            Outcome::Follows => format!("without load it comes back to {resting}"),
            Outcome::UseUnknown => "whether it can come down again is not known".to_string(),
            Outcome::NoRequest => {
                "a container has no request that its target could be a share of, and it does nothing by memory"
                    .to_string()
            }
        }
    }

    /// Base and target.
    fn compared(&self) -> String {
        let [base, target] = [self.base_bytes, self.target_bytes].map(|bytes| human(bytes.unwrap_or(0)));
        format!("no pod uses less than {base} now (metrics.k8s.io), and the target is {target}")
    }

    fn costs(&self) -> String {
        let most = if self.outcome == Outcome::NeverShrinks { "up to " } else { "" };
        format!(
            "; what it has beyond {} pods requests {most}{} that no load asks for",
            self.min_replicas,
            human(self.excess_request_bytes)
        )
    }

    fn to_look_at(&self) -> String {
        let target = self.target_bytes.map_or("its target".to_string(), human);
        format!(
            "metrics.k8s.io does not say what its pods use: see kubectl describe hpa {}, and what a pod without load uses; \
             where that is more than a tenth above {target} it goes to {} pods and stays",
            self.autoscaler, self.max_replicas
        )
    }

    /// The least target, where that of now does not do.
    fn raised(&self) -> Option<String> {
        let is_enough = matches!(self.outcome, Outcome::Follows | Outcome::NoRequest | Outcome::UseUnknown);
        let (least, base) = self.least_target_bytes.zip(self.base_bytes).filter(|_| !is_enough)?;
        let (amount, limit) = (Quantity::of_bytes(least), self.limit_bytes);
        let limit = match limit.filter(|limit| *limit <= least) {
            Some(limit) => format!(", for which its limit of {} has to be raised first", human(limit)),
            None => String::new(),
        };
        let min = self.min_replicas;
        Some(format!(
            "or: a target of {amount} at least (averageValue){limit}: {} x {} / {min}, as it comes back to {min} only \
             from where one more would do without",
            human(base),
            min.saturating_add(1)
        ))
    }

    fn sizes(&self) -> String {
        match (&self.resized, self.target_percent) {
            (Some(resized), Some(_)) => self.changed_together(resized),
            (Some(resized), None) => format!(
                "a request of {} would be right; its target does not follow it, and its limit has to stay above both",
                human(resized.request_bytes)
            ),
            (None, Some(_)) => {
                "who changes the request moves the target, unless that is an averageValue".to_string()
            }
            (None, None) => "its limit has to stay above its target".to_string(),
        }
    }

    /// What a right request would do to the target, and the target to set with it.
    fn changed_together(&self, resized: &Resized) -> String {
        let would = match resized.outcome {
            Outcome::PinsMax => format!(", with which it goes to {} pods and stays", self.max_replicas),
            Outcome::NeverShrinks => ", with which it never comes down again".to_string(),
            Outcome::RestsAboveMin => ", with which it keeps pods without load".to_string(),
            Outcome::Follows | Outcome::UseUnknown | Outcome::NoRequest => String::new(),
        };
        let percent = resized.keep_target_percent.map_or(String::new(), |percent| {
            format!(" (averageUtilization: {percent}, or averageValue, which does not follow the request)")
        });
        format!(
            "a request of {} would be right and move the target to {}{would}; change both at once, to a target of \
             {}{percent}, and leave the limit above it",
            human(resized.request_bytes),
            human(resized.target_bytes),
            human(resized.keep_target_bytes)
        )
    }
}

/// Requests a second of all pods, by a counter that many servers have.
pub(super) fn query(workload: &WorkloadId) -> String {
    format!(
        "sum(rate(http_requests_total{{namespace=\"{}\", pod=~\"{}-.*\"}}[2m]))",
        workload.namespace, workload.name
    )
}
