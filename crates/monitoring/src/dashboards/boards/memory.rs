//! Memory Monitoring: who holds how much of what they may, who waits for it, and who was killed.

use crate::dashboards::model::{Colour, Dashboard, LABELS_SHOWN, Look, Panel, Row, Target, Unit};
use crate::dashboards::scope::Scope;
use crate::names;

const NOBODY_WATCHES: &str = "no container is watched";

/// The board.
pub fn board(scope: &Scope) -> Dashboard {
    let mut variables = scope.variables(names::NONRECLAIMABLE);
    variables.push(scope.namespaces(names::NONRECLAIMABLE));
    let killed = format!("{} > 0", scope.rate("plimsoll_container_oom_kills_total", ""));
    Dashboard {
        uid: "plimsoll-memory",
        title: "Memory Monitoring",
        description: "Who holds how much of what they may, who waits for it, and who was killed. What decides is memory that cannot be reclaimed; the working set, which counts page cache in use, is shown beside.",
        range: "6h",
        variables,
        marks: vec![Target::new("OOM kill", killed)],
        rows: vec![
            Row::new("At a glance", glance(scope)),
            Row::new("Use", used(scope)),
            Row::new("Node.js heaps", heaps(scope)),
            Row::new("Pressure", pressure(scope)),
            Row::new("Kills", kills(scope)),
            Row::new("Who watches", watchers(scope)),
        ],
    }
}

fn glance(scope: &Scope) -> Vec<Panel> {
    let (used, limit, all) = (scope.named(names::NONRECLAIMABLE), scope.named(names::LIMIT), &scope.keys.all);
    vec![
        Panel::dial("Used of limits")
            .says("Memory that cannot be reclaimed, of the limits of the containers that have one.", "no container has a limit")
            .turns(&Scope::tiers(&scope.settings.usage))
            .asks("of limits", format!("sum({used} and on ({all}) {limit}) / sum({limit} and on ({all}) {used})")),
        Panel::dial("Nearest to its limit")
            .says("The container that has used most of its limit: this one the kernel kills first.", "no container has a limit")
            .turns(&Scope::tiers(&scope.settings.usage))
            .asks("the nearest", format!("max({})", scope.named(names::USED))),
        Panel::dial("Efficiency")
            .says("Used of what is requested. What is requested and not used is paid, and nobody else can be placed on it.", "no pod requests memory")
            .begins(Colour::Look, &[(0.5, Colour::Good), (0.95, Colour::Act)])
            .asks(
                "of requests",
                format!("sum({}) / sum({})", scope.named(names::NAMESPACE_USED), scope.named(names::NAMESPACE_REQUESTED)),
            )
            .leads_to("What it costs", "plimsoll-cost"),
        Panel::number("Containers watched", Unit::Count)
            .says("Containers whose memory is known.", NOBODY_WATCHES)
            .asks("containers", format!("count({used})")),
        Panel::number("OOM kills in this time", Unit::Count)
            .says("Processes the kernel killed for want of memory, in the time that is shown.", "no agent watches")
            .turns(&[(1.0, Colour::Bad)])
            .digits(0)
            .asks("kills", format!("sum({})\nor\n{}", scope.kills(), scope.zero_where_watched())),
        Panel::number("Leaks suspected", Unit::Count)
            .says("Containers whose memory has grown for so long, and so much, that it will reach the limit; see the alert MemoryLeakSuspected.", NOBODY_WATCHES)
            .turns(&[(1.0, Colour::Act)])
            .asks(
                "containers",
                format!("count(group by ({all}) ({}))\nor\n0 * count({used})", scope.named(names::TIME_TO_LIMIT)),
            ),
    ]
}

fn used(scope: &Scope) -> Vec<Panel> {
    let sum = |name: &str| format!("sum({})", scope.named(name));
    let highest = |name: &str| format!("topk(15, {})", scope.named(name));
    let tiers = Scope::tiers(&scope.settings.usage);
    vec![
        Panel::lines("Used, requested and limited", Unit::Bytes, Look::Lines)
            .says("All chosen containers together. Containers without a request or a limit are in no sum of these.", NOBODY_WATCHES)
            .asks("not reclaimable", sum(names::NONRECLAIMABLE))
            .asks("working set", sum(names::WORKING_SET))
            .asks("limits", sum(names::LIMIT))
            .asks("requests", sum(names::REQUEST)),
        Panel::lines("Memory by container", Unit::Bytes, Look::Lines)
            .says("What cannot be reclaimed, of the 15 that hold most.", NOBODY_WATCHES)
            .asks(LABELS_SHOWN, highest(names::NONRECLAIMABLE)),
        Panel::lines("Used of the limit", Unit::Share, Look::Lines)
            .says("What cannot be reclaimed, of the limit; the lines are the tiers of HighMemoryUsage.", "no container has a limit")
            .turns(&tiers)
            .asks(LABELS_SHOWN, highest(names::USED)),
        Panel::lines("Working set of the limit", Unit::Share, Look::Lines)
            .says("Page cache in use counts here: what is high here and not beside is no danger, and what alerts on the working set cry wolf about.", "no container has a limit")
            .turns(&tiers)
            .asks(LABELS_SHOWN, highest(names::WORKING_SET_USED)),
        Panel::lines("Growth in an hour", Unit::Bytes, Look::Lines)
            .says("How fast memory that cannot be reclaimed grows, as a straight line through the last hour: the ten that grow most.", NOBODY_WATCHES)
            .asks(LABELS_SHOWN, format!("topk(10, 3600 * deriv({}[1h]))", scope.named(names::NONRECLAIMABLE))),
        Panel::lines("Usage with page cache", Unit::Bytes, Look::Lines)
            .says("All memory that is charged, the cache of files included: what a reclaim could free is the difference to what cannot be reclaimed.", "no agent watches")
            .asks("usage", format!("sum({})", scope.gauge("plimsoll_container_memory_usage_bytes")))
            .asks("page cache", format!("sum({})", scope.gauge("plimsoll_container_memory_cache_bytes")))
            .asks("not reclaimable", sum(names::NONRECLAIMABLE)),
        table(scope),
    ]
}

fn table(scope: &Scope) -> Panel {
    let each = |expr: String| format!("max by ({}) ({expr})", scope.keys.all);
    let columns = [
        (scope.settings.cluster_label.as_str(), "Cluster"),
        ("namespace", "Namespace"),
        ("pod", "Pod"),
        ("container", "Container"),
        ("instance", "Host"),
        ("cgroup", "Cgroup"),
    ];
    Panel::table("Containers", &columns)
        .says("Each container: what it holds and cannot give back, what it may, and the most it ever held, page cache included.", NOBODY_WATCHES)
        .column("Not reclaimable", Unit::Bytes, each(scope.named(names::NONRECLAIMABLE)))
        .column("Working set", Unit::Bytes, each(scope.named(names::WORKING_SET)))
        .column("Peak usage", Unit::Bytes, each(scope.gauge("plimsoll_container_memory_peak_bytes")))
        .column("Request", Unit::Bytes, each(scope.named(names::REQUEST)))
        .column("Limit", Unit::Bytes, each(scope.named(names::LIMIT)))
        .column("Used of limit", Unit::Share, each(scope.named(names::USED)))
}

fn heaps(scope: &Scope) -> Vec<Panel> {
    let none = "no Node.js tells its heap";
    vec![
        Panel::lines("Heap of its limit", Unit::Share, Look::Lines)
            .says("V8's heap in use, of the size at which Node gives up with exit 134, whatever the container's limit.", none)
            .turns(&[(0.8, Colour::Look), (0.9, Colour::Act)])
            .asks(LABELS_SHOWN, format!("topk(15, {})", scope.named(names::HEAP_USED))),
        Panel::lines("Heap in use", Unit::Bytes, Look::Lines)
            .says("V8's heap in use and the size it dies at, of the process in each container that is nearest to it.", none)
            .asks(
                format!("used {LABELS_SHOWN}"),
                format!("topk(15, {})", scope.gauge("plimsoll_container_nodejs_heap_used_bytes")),
            )
            .asks(
                format!("limit {LABELS_SHOWN}"),
                format!("topk(15, {})", scope.gauge("plimsoll_container_nodejs_heap_limit_bytes")),
            ),
    ]
}

fn pressure(scope: &Scope) -> Vec<Panel> {
    let highest = |metric: &str| format!("topk(15, {})", scope.rate(metric, ""));
    let psi = "no kernel tells pressure (PSI)";
    vec![
        Panel::lines("All tasks wait", Unit::Share, Look::Lines)
            .says("Share of the time in which all tasks of a container waited for memory: nothing was done in it.", psi)
            .turns(&[(scope.settings.pressure.stalled_above, Colour::Act)])
            .asks(LABELS_SHOWN, highest("plimsoll_container_memory_pressure_stalled_seconds_total")),
        Panel::lines("Some task waits", Unit::Share, Look::Lines)
            .says("Share of the time in which at least one task waited for memory. It is high on well hosts that read much.", psi)
            .asks(LABELS_SHOWN, highest("plimsoll_container_memory_pressure_waiting_seconds_total")),
        Panel::lines("Pages read back", Unit::PerSecond, Look::Lines)
            .says("Pages a second that were let go and had to be read again: what runs needs more than it may have.", "no agent watches")
            .turns(&[(scope.settings.pressure.refaults_above, Colour::Act)])
            .asks(
                format!("file {LABELS_SHOWN}"),
                format!("topk(10, {})", scope.rate("plimsoll_container_memory_refaults_total", "kind=\"file\"")),
            )
            .asks(
                format!("anon {LABELS_SHOWN}"),
                format!("topk(10, {})", scope.rate("plimsoll_container_memory_refaults_total", "kind=\"anon\"")),
            ),
        Panel::lines("Major faults", Unit::PerSecond, Look::Lines)
            .says("Faults a second that had to wait for a disk.", "no agent watches")
            .asks(LABELS_SHOWN, highest("plimsoll_container_memory_major_faults_total")),
    ]
}

fn kills(scope: &Scope) -> Vec<Panel> {
    let kills = scope.agent("plimsoll_container_oom_kills_total", "");
    vec![
        Panel::lines("Kills by container", Unit::Count, Look::Columns)
            .digits(0)
            .says("Processes killed for want of memory in each step, as the kernel counts them for each container.", "no agent watches")
            .asks(
                "{{namespace}}/{{pod}} {{container}}",
                format!("sum by (namespace, pod, container) (increase({kills}[$__rate_interval]))"),
            ),
        Panel::bars("Killed in this time, by owner", Unit::Count)
            .says("By what outlives pods: the workload, or the project and job of a build. Of an agent that was not known when this time began, all kills count.", "no agent watches")
            .turns(&[(1.0, Colour::Bad)])
            .digits(0)
            .asks(
                "{{namespace}} {{workload}} {{container}} {{ci_project}} {{ci_job}}",
                format!(
                    "sum by (namespace, workload, container, ci_project, ci_job) ({}) > 0\nor\nlabel_replace({}, \"workload\", \"nobody\", \"\", \"\")",
                    scope.kills(),
                    scope.zero_where_watched(),
                ),
            ),
    ]
}

fn watchers(scope: &Scope) -> Vec<Panel> {
    vec![
        Panel::lines("Cgroups watched", Unit::Count, Look::Stacked)
            .says("Cgroups whose memory each agent reads: a fall to 0 is a node nobody sees.", "no agent is scraped")
            .asks("{{instance}}", format!("sum by (instance) ({})", scope.agents("plimsoll_agent_cgroups"))),
        Panel::bars("What agents cannot see", Unit::Count)
            .says("Agents that cannot see something; their logs say why. What they cannot see is missing here, and never 0.", "no agent is scraped")
            .turns(&[(1.0, Colour::Look)])
            .asks("{{what}}", format!("sum by (what) ({})", scope.agents("plimsoll_agent_blind"))),
    ]
}
