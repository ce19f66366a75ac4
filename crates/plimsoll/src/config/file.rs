//! `plimsoll.yaml` as it is written, and how it becomes a [`Config`].

use super::capacity::CapacityFile;
use super::{Config, parse_duration};
use plimsoll_core::mode::{Mode, ModeSpec, Modes};
use plimsoll_core::size::parse_size;
use plimsoll_monitoring::settings::Settings;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// Settings of `plimsoll run` and `plimsoll serve`. What is given on the command line wins.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "plimsoll.yaml")]
pub struct ConfigFile {
    /// Memory the build may use, such as 2GiB, 2Gi or 2048M.
    limit: Option<Size>,
    /// auto, optimized, safe, critical or minimal.
    mode: Option<ModeName>,
    /// Attempts to make in all.
    #[schemars(range(min = 1, max = 20))]
    attempts: Option<u32>,
    /// Wall time after which an attempt is ended, such as 20m or 1h30m.
    timeout: Option<Span>,
    /// Name the job is remembered by.
    job: Option<String>,
    /// Folder of what is remembered.
    store: Option<PathBuf>,
    /// Environment of the build in every mode, set only where it is not set already.
    env: BTreeMap<String, String>,
    /// Files and folders below the working folder that are removed between attempts.
    clean: Vec<String>,
    /// Failures that are not about memory and are tried again.
    retry: Vec<RetryRule>,
    /// What the modes set, over the defaults.
    modes: BTreeMap<Mode, ModeFile>,
    /// What `plimsoll serve` may promise.
    capacity: Option<CapacityFile>,
    /// What `plimsoll render` goes by.
    monitoring: Settings,
}

/// A failure that is tried again, known by its exit code, by text it prints, or by both.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryRule {
    /// The exit code.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// Text in what the build prints.
    #[serde(default)]
    pub text: Option<String>,
    /// How often it is tried again at most.
    #[serde(default = "once")]
    pub max: u32,
}

fn once() -> u32 {
    1
}

/// A mode; what is left out stays as it is by default.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ModeFile {
    /// The mode is chosen when the budget has at least this much.
    from: Option<Size>,
    /// Parallel jobs as a share of the usable cores.
    #[schemars(range(min = 1, max = 100))]
    jobs_percent: Option<u32>,
    /// Share of the budget kept free for what nobody measured.
    #[schemars(range(max = 50))]
    reserve_percent: Option<u32>,
    /// Environment of the build in this mode.
    env: BTreeMap<String, String>,
    /// Environment of an attempt that may do less work, such as GENERATE_SOURCEMAP=false.
    less_work: BTreeMap<String, String>,
}

impl ConfigFile {
    /// Checks what types cannot say.
    pub fn validate(self) -> Result<Config, String> {
        within("attempts", self.attempts, 1, 20)?;
        self.retry.iter().try_for_each(RetryRule::validate)?;
        self.clean.iter().try_for_each(|path| below(path))?;
        variables("env", &self.env)?;
        let mut modes = Modes::default();
        for (mode, file) in self.modes {
            if let Some(spec) = modes.specs.get_mut(&mode) {
                file.merge_over(mode, spec)?;
            }
        }
        descending(&modes)?;
        self.monitoring.check().map_err(|error| format!("monitoring.{error}"))?;
        Ok(Config {
            limit_bytes: self.limit.map(|size| size.0),
            mode: self.mode.and_then(|name| name.0),
            attempts: self.attempts,
            timeout: self.timeout.map(|span| span.0),
            job: self.job,
            store: self.store,
            env: self.env,
            clean: self.clean,
            retry: self.retry,
            modes,
            capacity: self.capacity.map(CapacityFile::validate).transpose()?,
            monitoring: self.monitoring,
        })
    }
}

impl ModeFile {
    fn merge_over(self, mode: Mode, spec: &mut ModeSpec) -> Result<(), String> {
        variables(&format!("modes.{}.env", mode.name()), &self.env)?;
        variables(&format!("modes.{}.less_work", mode.name()), &self.less_work)?;
        within(&format!("modes.{}.jobs_percent", mode.name()), self.jobs_percent, 1, 100)?;
        within(&format!("modes.{}.reserve_percent", mode.name()), self.reserve_percent, 0, 50)?;
        spec.from_bytes = self.from.map_or(spec.from_bytes, |size| size.0);
        spec.jobs_percent = self.jobs_percent.unwrap_or(spec.jobs_percent);
        spec.reserve_percent = self.reserve_percent.unwrap_or(spec.reserve_percent);
        spec.env.extend(self.env);
        spec.less_work_env.extend(self.less_work);
        Ok(())
    }
}

impl RetryRule {
    fn validate(&self) -> Result<(), String> {
        match (self.exit_code, self.text.as_deref()) {
            (None, None) => Err(
                "retry: a rule has neither exit_code nor text\nname one, so that it is known what to retry"
                    .into(),
            ),
            (Some(0), _) => Err("retry: exit_code 0 is no failure\nname the code of the failure".into()),
            (_, Some("")) => {
                Err("retry: text is empty, which every build prints\nname what the failure prints".into())
            }
            _ => Ok(()),
        }
    }
}

fn below(path: &str) -> Result<(), String> {
    let parts = || Path::new(path).components();
    let is_below = parts().next().is_some() && parts().all(|part| matches!(part, Component::Normal(_)));
    if is_below {
        return Ok(());
    }
    Err(format!("clean: '{path}' is not below the working folder\nname a path like node_modules/.cache"))
}

fn variables(key: &str, env: &BTreeMap<String, String>) -> Result<(), String> {
    let bad = |name: &&String| name.is_empty() || name.contains(['=', '\0']);
    match env.keys().find(bad) {
        Some(name) => Err(format!("{key}: '{name}' cannot be a variable's name\nwrite NAME: value")),
        None => Ok(()),
    }
}

/// A roomier mode may not begin below a narrower one: it would never be reached, or always.
fn descending(modes: &Modes) -> Result<(), String> {
    let from = |mode: Mode| modes.spec(mode).from_bytes;
    for (mode, lower) in Mode::ALL.into_iter().filter_map(|mode| Some((mode, mode.lower()?))) {
        if from(mode) <= from(lower) {
            let (mode, lower) = (mode.name(), lower.name());
            return Err(format!(
                "modes.{mode}.from: not above modes.{lower}.from\nraise it, or lower the other"
            ));
        }
    }
    Ok(())
}

pub(super) fn within(key: &str, value: Option<u32>, min: u32, max: u32) -> Result<(), String> {
    match value {
        Some(value) if !(min..=max).contains(&value) => {
            Err(format!("{key}: {value} is out of range\nuse {min} to {max}"))
        }
        _ => Ok(()),
    }
}

/// What is wrong, and on a line of its own what to do.
pub(super) fn explain(error: &serde_saphyr::Error) -> String {
    let error = error.without_snippet();
    let (kind, name, known) = match error {
        serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => ("key", field, expected),
        serde_saphyr::Error::SerdeUnknownVariant { variant, expected, .. } => ("value", variant, expected),
        other => return other.to_string(),
    };
    // Below 0.7 the suggestion is more often wrong than right: it is clap's threshold too.
    let nearest =
        known.iter().map(|known| (strsim::jaro(name, known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((likeness, nearest)) if likeness > 0.7 => {
            format!("unknown {kind} '{name}'\ndid you mean '{nearest}'?")
        }
        _ => format!("unknown {kind} '{name}'\nknown are {}", known.join(", ")),
    }
}

#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(with = "String", extend("pattern" = "^[0-9.]+ *([KMGTkmgt]?[Ii]?[Bb]?)$"))]
pub(super) struct Size(pub u64);

#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(with = "String")]
pub(super) struct Span(pub Duration);

#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(with = "String", extend("enum" = ["auto", "optimized", "safe", "critical", "minimal"]))]
struct ModeName(Option<Mode>);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = from.deserialize_str(Scalar)?;
        parse_size(&text).map(Size).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = from.deserialize_str(Scalar)?;
        parse_duration(&text).map(Span).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for ModeName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = from.deserialize_str(Scalar)?;
        match Mode::from_name(&text) {
            None if text != "auto" => Err(de::Error::custom(format!(
                "'{text}' is no mode\nuse auto, optimized, safe, critical or minimal"
            ))),
            mode => Ok(ModeName(mode)),
        }
    }
}

/// A scalar as text; a plain number of bytes is no string in YAML.
struct Scalar;

impl de::Visitor<'_> for Scalar {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_string())
    }

    fn visit_u64<E>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
}
