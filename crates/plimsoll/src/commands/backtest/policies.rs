//! The policies by name, and what each decides.

use clap::ValueEnum;
use plimsoll_core::backtest::envelope::envelope;
use plimsoll_core::backtest::fleet::{Decided, fleet};
use plimsoll_core::backtest::packed::Packed;
use plimsoll_core::backtest::replay::{oracle, replay};
use plimsoll_core::backtest::{Decision, Schedule, Series};
use plimsoll_core::sizing::Policy;
use plimsoll_core::sizing::autopilot::ml::AutopilotMl;
use plimsoll_core::sizing::autopilot::window::AutopilotWindow;
use plimsoll_core::sizing::krr::{self, Krr};
use plimsoll_core::sizing::plimsoll::fleet::Risk;
use plimsoll_core::sizing::vpa::{self, Vpa};
use std::str::FromStr;

/// `--policy`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PolicyName {
    /// All of them
    All,
    /// Ours
    Plimsoll,
    /// Robusta KRR, simple: highest of 14 days and 15 %
    Krr,
    /// Vertical Pod Autoscaler: 90th percentile of fading daily peaks and 15 %
    Vpa,
    /// Autopilot, moving window: 98th percentile of fading five-minute peaks
    AutopilotWindow,
    /// Autopilot, the cheapest of many models
    AutopilotMl,
    /// Knows what comes: the least that is never passed
    Oracle,
    /// Knows what comes, and may change so often a day: --changes-per-day
    Envelope,
}

/// In the order of the table.
const ALL: [PolicyName; 7] = [
    PolicyName::Plimsoll,
    PolicyName::Krr,
    PolicyName::Vpa,
    PolicyName::AutopilotWindow,
    PolicyName::AutopilotMl,
    PolicyName::Oracle,
    PolicyName::Envelope,
];

impl PolicyName {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            PolicyName::All => "all",
            PolicyName::Plimsoll => "plimsoll",
            PolicyName::Krr => "krr",
            PolicyName::Vpa => "vpa",
            PolicyName::AutopilotWindow => "autopilot-window",
            PolicyName::AutopilotMl => "autopilot-ml",
            PolicyName::Oracle => "oracle",
            PolicyName::Envelope => "envelope",
        }
    }

    /// Nobody can follow it.
    pub fn knows_the_future(self) -> bool {
        matches!(self, PolicyName::Oracle | PolicyName::Envelope)
    }

    /// Those that were asked for, each once.
    pub fn chosen(asked: &[PolicyName]) -> Vec<PolicyName> {
        ALL.into_iter().filter(|policy| asked.contains(policy) || asked.contains(&PolicyName::All)).collect()
    }
}

/// `--risk`
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RiskChoice {
    /// As much as the usual rule.
    Usual,
    /// So many exceeded windows a container and day.
    PerTaskDay(f64),
}

impl FromStr for RiskChoice {
    type Err = String;

    /// `usual`, or `N OOM[s] per M task-days` with M left out for 1.
    fn from_str(text: &str) -> Result<RiskChoice, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let number =
            |text: &str| text.parse::<f64>().ok().filter(|number| *number > 0.0 && number.is_finite());
        let is_ooms = |word: &str| ["oom", "ooms"].contains(&word.to_lowercase().as_str());
        let is_days = |word: &str| ["task-day", "task-days"].contains(&word);
        let risk = match words[..] {
            ["usual"] => Some(RiskChoice::Usual),
            [ooms, oom, "per", days, day] if is_ooms(oom) && is_days(day) => {
                number(ooms).zip(number(days)).map(|(ooms, days)| RiskChoice::PerTaskDay(ooms / days))
            }
            [ooms, oom, "per", day] if is_ooms(oom) && is_days(day) => {
                number(ooms).map(RiskChoice::PerTaskDay)
            }
            _ => None,
        };
        risk.ok_or_else(|| format!("'{text}' is no risk\nwrite it as \"1 OOM per 1000 task-days\", or usual"))
    }
}

impl RiskChoice {
    fn of(self, schedule: &Schedule) -> Risk {
        match self {
            RiskChoice::Usual if schedule.closed_loop => Risk::LeastForSlack,
            _ => self.for_horizon(schedule.horizon_ms),
        }
    }

    /// As a share of windows of this length, in milliseconds.
    pub fn for_horizon(self, horizon_ms: i64) -> Risk {
        let days = horizon_ms as f64 / plimsoll_core::sizing::DAY_MS as f64;
        match self {
            RiskChoice::Usual => Risk::AsUsual,
            RiskChoice::PerTaskDay(ooms) => Risk::Share((ooms * days).min(1.0)),
        }
    }
}

/// What a policy decides for each series.
pub(super) fn decide(
    policy: PolicyName,
    series: &[Packed],
    schedule: &Schedule,
    floor_bytes: Option<u64>,
    risk: RiskChoice,
    changes_per_day: usize,
) -> Decided {
    let each = |of: &(dyn Fn(&Series) -> Vec<Decision> + Sync)| Decided {
        decisions: in_parallel(series, |packed| of(&packed.open())),
        chances: Vec::new(),
    };
    let replayed =
        |new: &(dyn Fn() -> Box<dyn Policy> + Sync)| each(&|series| replay(series, schedule, new().as_mut()));
    let mut decided = match policy {
        PolicyName::Plimsoll | PolicyName::All => fleet(series, schedule, risk.of(schedule)),
        PolicyName::Krr => replayed(&|| Box::new(Krr::new(floor_bytes.unwrap_or(krr::FLOOR_BYTES)))),
        PolicyName::Vpa => replayed(&|| Box::new(Vpa::new(floor_bytes.unwrap_or(vpa::POD_FLOOR_BYTES)))),
        PolicyName::AutopilotWindow => replayed(&|| Box::new(AutopilotWindow::default())),
        PolicyName::AutopilotMl => replayed(&|| Box::new(AutopilotMl::default())),
        PolicyName::Oracle => each(&|series| oracle(series, schedule)),
        PolicyName::Envelope => each(&|series| envelope(series, schedule, changes_per_day)),
    };
    let floor_bytes = floor_bytes.filter(|_| !policy.knows_the_future()).unwrap_or(0);
    for decision in decided.decisions.iter_mut().flatten() {
        decision.limit_bytes = decision.limit_bytes.max(floor_bytes);
    }
    decided
}

/// One answer for each, in their order, by as many threads as there are cores.
pub(super) fn in_parallel<S: Sync, T: Send>(all: &[S], of: impl Fn(&S) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let chunk = all.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            all.chunks(chunk).map(|part| scope.spawn(|| part.iter().map(&of).collect::<Vec<T>>())).collect();
        // A worker ends early only by a panic, which is passed on.
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risks_as_people_say_them() {
        let check = |text: &str, expect: Option<RiskChoice>| assert_eq!(text.parse().ok(), expect, "{text}");
        check("usual", Some(RiskChoice::Usual));
        check("1 OOM per 1000 task-days", Some(RiskChoice::PerTaskDay(0.001)));
        check("2 ooms per task-day", Some(RiskChoice::PerTaskDay(2.0)));
        check("0 OOM per 10 task-days", None);
        check("1 per 1000", None);
        check("", None);
    }

    #[test]
    fn each_policy_once_in_one_order() {
        let names = |asked: &[PolicyName]| {
            PolicyName::chosen(asked).into_iter().map(PolicyName::name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[PolicyName::Oracle, PolicyName::Krr, PolicyName::Krr]), ["krr", "oracle"]);
        assert_eq!(names(&[PolicyName::All]).len(), ALL.len());
    }
}
