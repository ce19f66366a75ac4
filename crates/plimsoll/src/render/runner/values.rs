//! `runner-values.yaml`: values of GitLab Runner's chart that go over one's own.
//!
//! `runners.config` is one text, and one file's replaces another's as a whole: all that is there is kept, and keys are set in it.

use super::now::{RunnerNow, runners};
use super::{VALUES_FILE, comment, yaml};
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::runner::{JobSize, Setting, settings};
use plimsoll_lint::fix::toml;

/// What the chart has by itself where nothing is given, without which jobs have no namespace and no image
/// (`values.yaml` of <https://gitlab.com/gitlab-org/charts/gitlab-runner>).
const CHARTS_OWN: &str = "\
[[runners]]
  [runners.kubernetes]
    namespace = \"{{.Release.Namespace}}\"
    image = \"alpine\"
";

/// What is known of the runners before anything is written.
#[derive(Debug, Clone)]
pub struct Before {
    /// The file with the values, where one was given.
    pub name: Option<String>,
    /// Its `runners.config`, where it has one.
    pub config: Option<String>,
    /// The highest limit that the pipeline's jobs ask for, in bytes.
    pub asked_limit_bytes: Option<u64>,
    /// The highest request.
    pub asked_request_bytes: Option<u64>,
}

/// A runner, and what is set in it.
#[derive(Debug, Clone)]
pub struct Changed {
    /// As it was.
    pub runner: RunnerNow,
    /// What is set.
    pub settings: Vec<Setting>,
}

impl Before {
    /// What each runner of Kubernetes has to say.
    pub fn changes(&self, jobs: &[JobSize]) -> Result<Vec<Changed>, String> {
        let mut all =
            runners(self.text()).map_err(|why| format!("{}: runners.config: {why}", self.shown()))?;
        if all.is_empty() {
            let name = self.shown();
            return Err(format!(
                "{name}: no runner under runners.config is one of Kubernetes\nwrite [runners.kubernetes] there"
            ));
        }
        for runner in &mut all {
            runner.now.is_new = self.config.is_none();
            runner.now.asked_limit_bytes = self.asked_limit_bytes;
            runner.now.asked_request_bytes = self.asked_request_bytes;
        }
        let changed = |runner: RunnerNow| Changed { settings: settings(jobs, &runner.now), runner };
        Ok(all.into_iter().map(changed).collect())
    }

    /// The values with what has changed.
    pub fn overlay(&self, changes: &[Changed]) -> Result<String, String> {
        let mut text = self.text().to_string();
        for changed in changes {
            let place = [("runners", changed.runner.index), ("kubernetes", 0)];
            let sets: Vec<toml::Set> = changed.settings.iter().map(|setting| set(setting, changed)).collect();
            let named = |why| format!("{}: runners.config: {why}", self.shown());
            text = toml::set(&text, &place, &sets).map_err(named)?;
        }
        let own = match &self.config {
            Some(_) => "runners.config of one file replaces that of another as a whole: all of it is here.".to_string(),
            None => "There was no runners.config; namespace and image are the chart's own. Give yours: --values values.yaml".to_string(),
        };
        Ok(format!(
            "# Written by plimsoll render runner from what is remembered of jobs; the same is written until that changes.\n\
             # Apply:     helm upgrade RELEASE gitlab/gitlab-runner -f {name} -f {VALUES_FILE}\n\
             # Take back: git revert, helm rollback RELEASE, or what plimsoll render runner --undo writes in this file's place.\n\
             # {own}\n{left}runners:\n  config:{block}",
            name = self.shown(),
            left = left_alone(changes),
            block = yaml::block(&text, 4),
        ))
    }

    /// The values as they were.
    pub fn undo(&self) -> String {
        let head = format!(
            "# Written by plimsoll render runner --undo: what was set before.\n\
             # Apply: helm upgrade RELEASE gitlab/gitlab-runner -f {} -f {VALUES_FILE}\n",
            self.shown()
        );
        match &self.config {
            Some(config) => format!("{head}runners:\n  config:{}", yaml::block(config, 4)),
            // Helm takes null for "without the chart's own", which is not what was.
            None => {
                format!("{head}# runners.config was unset: the chart's own counts again.\nrunners: {{}}\n")
            }
        }
    }

    fn text(&self) -> &str {
        self.config.as_deref().unwrap_or(CHARTS_OWN)
    }

    fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or("values.yaml")
    }
}

/// Before what was, as people have written it.
pub fn was(setting: &Setting, runner: &RunnerNow) -> Option<String> {
    runner.words.get(&setting.key).cloned()
}

fn set(setting: &Setting, changed: &Changed) -> toml::Set {
    let value = String::from(Quantity::of_bytes(setting.bytes));
    let was = was(setting, &changed.runner).map_or("unset".to_string(), |was| format!("{was} before"));
    let reason = comment(&format!("{was}; {}", setting.reason));
    toml::Set { key: setting.key.name().to_string(), value: format!("\"{value}\""), reason }
}

/// Runners that stay as they are.
fn left_alone(changes: &[Changed]) -> String {
    let same = changes.iter().filter(|changed| changed.settings.is_empty());
    let line = |changed: &Changed| {
        format!(
            "# Runner {} stays as it is: what it says is enough for what is known of jobs.\n",
            comment(&changed.runner.name)
        )
    };
    same.map(line).collect()
}
