//! What became of each alert, as it happens: asked of Prometheus and Alertmanager, and told by whoever is told.

use super::hook::Hook;
use super::shop;
use crate::Failure;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// An alert by its name and tier.
pub type Name = (String, String);

/// What may become of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Became {
    Pending,
    Firing,
    Inhibited,
    /// Somebody was told: the receiver.
    Routed(String),
    Resolved,
}

/// All that was seen.
pub struct Timeline {
    prometheus: String,
    alertmanager: String,
    hook: Hook,
    began: Instant,
    seen: BTreeMap<(Name, Became), Duration>,
}

impl Timeline {
    pub fn new(prometheus: &str, alertmanager: &str, hook: Hook) -> Timeline {
        let (prometheus, alertmanager) = (prometheus.to_string(), alertmanager.to_string());
        Timeline { prometheus, alertmanager, hook, began: Instant::now(), seen: BTreeMap::new() }
    }

    /// Watches until all of these have been seen.
    pub fn watch(&mut self, wanted: &[(&str, &str, Became)], within: Duration) -> Result<(), Failure> {
        let end = Instant::now() + within;
        loop {
            self.look()?;
            let missing: Vec<_> =
                wanted.iter().filter(|(alert, tier, became)| !self.has(alert, tier, became)).collect();
            if missing.is_empty() {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(format!("not seen within {} s: {missing:?}", within.as_secs()).into());
            }
            std::thread::sleep(LOOK);
        }
    }

    fn has(&self, alert: &str, tier: &str, became: &Became) -> bool {
        self.seen.contains_key(&((alert.to_string(), tier.to_string()), became.clone()))
    }

    fn look(&mut self) -> Result<(), Failure> {
        for alert in list(&ask(&format!("{}/api/v1/alerts", self.prometheus))?["data"]["alerts"]) {
            if is_another_story(&alert) {
                continue;
            }
            let became = if alert["state"] == "firing" { Became::Firing } else { Became::Pending };
            self.see(name(&alert["labels"]), became);
        }
        for alert in list(&ask(&format!("{}/api/v2/alerts", self.alertmanager))?) {
            if !list(&alert["status"]["inhibitedBy"]).is_empty() && !is_another_story(&alert) {
                self.see(name(&alert["labels"]), Became::Inhibited);
            }
        }
        while let Ok(message) = self.hook.told.try_recv() {
            let receiver = message["receiver"].as_str().unwrap_or_default().to_string();
            for alert in list(&message["alerts"]).into_iter().filter(|alert| !is_another_story(alert)) {
                let is_over = alert["status"] == "resolved";
                let became = if is_over { Became::Resolved } else { Became::Routed(receiver.clone()) };
                self.see(name(&alert["labels"]), became);
            }
        }
        Ok(())
    }

    fn see(&mut self, name: Name, became: Became) {
        let after = self.began.elapsed();
        if self.seen.contains_key(&(name.clone(), became.clone())) {
            return;
        }
        let words = match &became {
            Became::Pending => "pending".to_string(),
            Became::Firing => "firing".to_string(),
            Became::Inhibited => "inhibited by a higher tier".to_string(),
            Became::Routed(receiver) => format!("routed: {receiver} is told"),
            Became::Resolved => "resolved, and told so".to_string(),
        };
        println!("  {:6.1} s  {:<22}  {:<11}  {words}", after.as_secs_f64(), name.0, name.1);
        self.seen.insert((name, became), after);
    }
}

fn ask(url: &str) -> Result<Value, Failure> {
    let text = ureq::get(url).call()?.body_mut().read_to_string()?;
    Ok(serde_json::from_str(&text)?)
}

/// What becomes of pods whose sizes follow use: names alone would not tell it from that of containers that are driven here.
fn is_another_story(alert: &Value) -> bool {
    let labels = &alert["labels"];
    let is_of_pod = labels["pod"].as_str().is_some_and(|pod| !pod.is_empty());
    is_of_pod && labels["namespace"] == shop::NAMESPACE && labels["alertname"] != "RightsizingRegressed"
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn name(labels: &Value) -> Name {
    let of = |name: &str| labels[name].as_str().unwrap_or_default().to_string();
    (of("alertname"), of("tier"))
}
