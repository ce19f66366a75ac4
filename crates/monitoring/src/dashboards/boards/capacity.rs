//! Capacity Planning: how many more people fit, what those who are there take, and how well that was foretold.

use crate::dashboards::model::{Colour, Dashboard, LABELS_SHOWN, Look, Panel, Row, Unit};
use crate::dashboards::scope::Scope;
use crate::names;

const NO_SERVICE: &str = "plimsoll serve is not scraped";
const NOT_OBSERVED: &str = "nothing was observed in the last five minutes";

/// The board.
pub fn board(scope: &Scope) -> Dashboard {
    let mut variables = scope.variables("plimsoll_capacity_total_bytes");
    variables.push(scope.namespaces(names::NONRECLAIMABLE));
    Dashboard {
        uid: "plimsoll-capacity",
        title: "Capacity Planning",
        description: "How many more people fit, what those who are there take, what is promised, and how well all that was foretold. The namespace chooses containers in the last panel of memory only: what the service knows has none.",
        range: "24h",
        variables,
        marks: Vec::new(),
        rows: vec![
            Row::new("At a glance", glance(scope)),
            Row::new("Places", places(scope)),
            Row::new("People", people(scope)),
            Row::new("What was foretold", foretold(scope)),
            Row::new("Reservations", reservations(scope)),
            Row::new("The service", service(scope)),
        ],
    }
}

fn glance(scope: &Scope) -> Vec<Panel> {
    let cluster = &scope.settings.cluster_label;
    let total = scope.service("plimsoll_capacity_total_bytes", "", "");
    let booked = scope.service("plimsoll_capacity_booked_bytes", "", "level=\"p95\"");
    let slots = |pods: &str| {
        let matcher = format!("pods=\"{pods}\"");
        format!("sum by (role) ({})", scope.service("plimsoll_capacity_available_slots", "role", &matcher))
    };
    vec![
        Panel::dial("Promised of all there may be")
            .says("Memory that is promised now and is not passed 95 of 100 times, of that of all pods there may be.", NO_SERVICE)
            .turns(&[(0.75, Colour::Look), (0.9, Colour::Act), (1.0, Colour::Bad)])
            .asks("promised", format!("sum({booked}) / (sum({total}) > 0)")),
        Panel::number("People there", Unit::Count)
            .says("Of all roles, as the app tells.", NOT_OBSERVED)
            .asks("people", format!("sum({})", scope.whole(names::ROLE_PEOPLE))),
        Panel::number("Prediction error", Unit::Share)
            .says("How far what should be used now is from what is: positive where more was predicted.", NOT_OBSERVED)
            .digits(1)
            .asks(
                "error",
                format!(
                    "sum({p} - on ({cluster}) {o}) / sum({o} and on ({cluster}) {p})",
                    p = scope.whole(names::PREDICTED),
                    o = scope.whole(names::OBSERVED)
                ),
            ),
        Panel::bars("Places left in pods that run", Unit::Count)
            .says("How many more of one role fit for the next hour, if no other comes.", NO_SERVICE)
            .begins(Colour::Bad, &[(1.0, Colour::Look), (5.0, Colour::Good)])
            .wide(6)
            .asks("{{role}}", slots("ready")),
        Panel::bars("Places left in all pods", Unit::Count)
            .says("The same in all pods there may be, those that have yet to be started too.", NO_SERVICE)
            .begins(Colour::Bad, &[(1.0, Colour::Look), (5.0, Colour::Good)])
            .wide(6)
            .asks("{{role}}", slots("most")),
    ]
}

fn places(scope: &Scope) -> Vec<Panel> {
    let sum = |metric: &str, matcher: &str| format!("sum({})", scope.service(metric, "", matcher));
    let slots = scope.service("plimsoll_capacity_available_slots", "role, pods", "");
    vec![
        Panel::lines("Memory there is and memory promised", Unit::Bytes, Look::Lines)
            .says("Beside what pods take with nobody in them: of all pods there may be, of those that run, and what is promised.", NO_SERVICE)
            .asks("all pods", sum("plimsoll_capacity_total_bytes", ""))
            .asks("pods that run", sum("plimsoll_capacity_ready_bytes", ""))
            .asks("promised, half the time", sum("plimsoll_capacity_booked_bytes", "level=\"p50\""))
            .asks("promised, 95 of 100 times", sum("plimsoll_capacity_booked_bytes", "level=\"p95\"")),
        Panel::lines("Places left", Unit::Count, Look::Lines)
            .says("How many more of one role fit for the next hour.", NO_SERVICE)
            .asks("{{role}}, {{pods}} pods", format!("sum by (role, pods) ({slots})")),
    ]
}

fn people(scope: &Scope) -> Vec<Panel> {
    let by_role = |name: &str| format!("sum by (role) ({})", scope.whole(name));
    let people = scope.whole(names::ROLE_PEOPLE);
    vec![
        Panel::lines("Memory by role", Unit::Bytes, Look::Stacked)
            .says("What people of a role take together, by the formula that was found.", NOT_OBSERVED)
            .asks("{{role}}", by_role(names::ROLE_MEMORY))
            .leads_to("What it costs", "plimsoll-cost"),
        Panel::lines("What one takes", Unit::Bytes, Look::Lines)
            .says("What one of a role takes, and a pod with nobody in it: it moves when the app does.", NO_SERVICE)
            .asks("{{role}}", format!("max by (role) ({})", scope.service("plimsoll_capacity_profile_role_bytes", "role", "")))
            .asks("a pod", format!("max({})", scope.service("plimsoll_capacity_profile_base_bytes", "", ""))),
        Panel::lines("Connections by role", Unit::Count, Look::Stacked)
            .says("Who is there: when people come, how many at once, and how long they stay.", NOT_OBSERVED)
            .asks("{{role}}", by_role(names::ROLE_PEOPLE)),
        Panel::lines("Coming and going", Unit::Count, Look::Lines)
            .says("How many more there are than ten minutes before, by role: groups that come at once are steps.", NOT_OBSERVED)
            .asks("{{role}}", format!("sum by (role) (delta({people}[10m]))")),
        Panel::lines("People in a pod", Unit::Count, Look::Lines)
            .says("On average, and the most at once within the last hour, of all pods together.", NOT_OBSERVED)
            .asks(
                "in a pod",
                format!("sum({people}) / (sum({}) > 0)", scope.service("plimsoll_capacity_observed_pods", "", "")),
            )
            .asks("most in an hour, all pods", format!("sum(max_over_time({people}[1h]))")),
        Panel::lines("What containers hold", Unit::Bytes, Look::Lines)
            .says("By the kernel, of the chosen namespace: to be held against what the app says of itself.", "no container is watched")
            .asks(LABELS_SHOWN, format!("topk(10, {})", scope.named(names::NONRECLAIMABLE))),
    ]
}

fn foretold(scope: &Scope) -> Vec<Panel> {
    let cluster = &scope.settings.cluster_label;
    let (predicted, error) = (scope.whole(names::PREDICTED), scope.whole(names::PREDICTION_ERROR));
    // Used is predicted / (1 + error): a large error is the lower end.
    let end = |quantile: f64| {
        format!("sum({predicted} / on ({cluster}) (1 + quantile_over_time({quantile}, {error}[1d])))")
    };
    let told = |metric: &str| format!("max({})", scope.service(metric, "", ""));
    let none = "no projection has come due yet";
    vec![
        Panel::lines("Predicted and used", Unit::Bytes, Look::Band)
            .says("What people and pods that are there should take and what they take. The band is where use was in 90 of 100 minutes of the last day, seen from what was predicted.", NOT_OBSERVED)
            .asks("band, upper end", end(0.05))
            .asks("band, lower end", end(0.95))
            .asks("predicted", format!("sum({predicted})"))
            .asks("used", format!("sum({})", scope.whole(names::OBSERVED))),
        Panel::lines("Prediction error over time", Unit::Share, Look::Lines)
            .says("What was predicted less what is used, of what is used.", NOT_OBSERVED)
            .asks(format!("{{{{{cluster}}}}}"), error.clone()),
        Panel::number("Error of projections", Unit::Share)
            .says("Mean distance of what was projected beforehand, for reservations and hours, from what was used.", none)
            .digits(1)
            .wide(8)
            .asks("error", told("plimsoll_capacity_projection_error_ratio")),
        Panel::number("Used no more than p95", Unit::Share)
            .says("Of projections about as many people as came, those whose p95 was enough: 95 % is right, more is waste.", none)
            .digits(1)
            .wide(8)
            .begins(Colour::Act, &[(0.9, Colour::Good)])
            .asks("within", told("plimsoll_capacity_projection_covered_ratio")),
        Panel::number("Used more than p99", Unit::Share)
            .says("Of projections about as many people as came, those whose p99 was not enough: 1 % is right.", none)
            .digits(1)
            .wide(8)
            .turns(&[(0.02, Colour::Look), (0.05, Colour::Bad)])
            .asks("above", told("plimsoll_capacity_projection_breach_ratio")),
    ]
}

fn reservations(scope: &Scope) -> Vec<Panel> {
    let experiments =
        scope.service("hyperstudy_experiment_memory_projection_mb", "experiment_id", "by=\"plimsoll\"");
    vec![
        Panel::lines("Reservations", Unit::Count, Look::Stacked)
            .says("Those that are not over, by state. Degraded ones were promised memory that is gone.", "nothing is reserved")
            .asks("{{state}}", format!("sum by (state) ({})", scope.service("plimsoll_capacity_reservations", "state", ""))),
        Panel::lines("Decisions", Unit::PerSecond, Look::Columns)
            .says("Requests for a place, by what became of them.", "nobody has asked for a place")
            .asks(
                "{{outcome}}",
                format!("sum by (outcome) (rate({}[$__rate_interval]))", scope.asked("plimsoll_capacity_decisions_total")),
            ),
        Panel::bars("Memory of the next day's experiments", Unit::Bytes)
            .says("What people of each are expected to take, beside what pods take with nobody in them.", "no experiment is reserved for the next day")
            .asks("{{experiment_id}}", format!("sort_desc(1e6 * sum by (experiment_id) ({experiments}))")),
        Panel::lines("Scaling fails", Unit::Yes, Look::Lines)
            .says("Regions whose pods could not be scaled ahead of the schedule; GET /api/capacity/scaling says why.", "nothing is scaled ahead of the schedule")
            .asks("{{region}}", format!("max by (region) ({})", scope.service("plimsoll_capacity_scaling_failing", "region", ""))),
    ]
}

fn service(scope: &Scope) -> Vec<Panel> {
    let buckets = scope.asked("plimsoll_capacity_request_duration_seconds_bucket");
    vec![
        Panel::lines("Requests", Unit::Requests, Look::Stacked)
            .says("That were answered, by route and status.", NO_SERVICE)
            .asks(
                "{{method}} {{route}} {{status}}",
                format!(
                    "sum by (method, route, status) (rate({}[$__rate_interval]))",
                    scope.asked("plimsoll_capacity_requests_total")
                ),
            ),
        Panel::lines("Time to an answer", Unit::Seconds, Look::Lines)
            .says("In 99 of 100 requests no longer than this, by route.", NO_SERVICE)
            .asks(
                "{{route}}",
                format!("histogram_quantile(0.99, sum by (le, route) (rate({buckets}[$__rate_interval])))"),
            ),
    ]
}
