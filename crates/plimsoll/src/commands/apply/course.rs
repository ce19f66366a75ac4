//! The course of a rollout: look, derive, store the journal, carry out, wait; until it is over.
//!
//! What goes wrong between us and the API server is waited out; who loses the lease changes nothing more.

use super::copies::{Copies, Found};
use super::words::words;
use super::{SYNC_WITHIN, changes, in_place, namespace_of, now_ms};
use crate::commands::CommandError;
use crate::commands::kubelets::Kubelets;
use crate::commands::usage::Sampling;
use kube::Client;
use plimsoll_cluster::abilities::abilities;
use plimsoll_cluster::journal::{self, Journal as Stored};
use plimsoll_cluster::lease::{Asked, Lease};
use plimsoll_cluster::watch::{Synced, Watch};
use plimsoll_cluster::{ClusterError, act};
use plimsoll_core::inventory::{Abilities, Inventory};
use plimsoll_core::plan::{Change, Plan};
use plimsoll_core::rollout::{Journal, Phase, Step, Verdict, in_the_way, step};
use std::io::Write;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

/// Looks at the cluster come so often.
const LOOK_EACH: Duration = Duration::from_secs(1);
/// Use is read so often, where metrics.k8s.io says it; metrics-server reads it each 15 s.
const SAMPLE_EACH: Duration = Duration::from_secs(15);
/// Where watches do not hold, all is listed anew, with pauses so many times as long as that takes, and at least of a look.
const PAUSES_OF_LISTS: u32 = 4;
/// The lease of whoever changes a cluster.
const LEASE: &str = "apply";
/// Why a plan goes back that is fine.
const ASKED: &str = "somebody asked for it";
/// So long after a rollout should have been taken back we say that it could not be.
const BEYOND: Duration = Duration::from_secs(600);

/// Where a plan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// To its end, or back where that was begun.
    Forward,
    /// Back, because somebody says so.
    Back,
}

/// See the module.
pub(super) struct Course {
    client: Client,
    lease: Lease,
    copies: Copies,
    stored: Stored,
    /// As it was stored last.
    journal: Journal,
    synced: Synced,
    /// When all may be listed anew.
    list_from: Instant,
    can: Abilities,
    sampling: Sampling,
    kubelets: Kubelets,
    said: String,
}

impl Course {
    /// Gets what it takes: the namespace, our kinds, the lease, and a look at everything. Nothing is changed yet. Where the
    /// plan was begun it goes on from there, or back.
    pub async fn prepare(mut copies: Copies, plan: Plan, aim: Aim) -> Result<Course, CommandError> {
        let client = copies.client().clone();
        journal::home(&client).await?;
        if in_place(&plan) {
            act::install(&client).await?;
        }
        let lease = match Lease::ask(&client, LEASE, &holder()).await? {
            Asked::Ours(lease) => *lease,
            Asked::Held(holder) => return Err(CommandError::Held(holder)),
        };
        let begun = async {
            let namespace = namespace_of(&plan);
            let can = abilities(&client, namespace).await?;
            let synced = Watch::start(&client, namespace).await?.synced(SYNC_WITHIN).await?;
            let (mut seen, mut kubelets) = (synced.inventory(now_ms(), can), Kubelets::of(&client).await);
            // How things are before the first wave is what all is held against.
            kubelets.fill_now(&mut seen, |workload| changes(&plan, workload)).await;
            let (stored, journal) = begin(&mut copies, plan, aim, &seen).await?;
            Ok((can, synced, kubelets, stored, journal))
        };
        let (can, synced, kubelets, stored, journal) = match begun.await {
            Ok(begun) => begun,
            Err(error) => {
                // Whoever asks next need not wait for it.
                let _ = lease.release().await;
                return Err(error);
            }
        };
        let (said, list_from, sampling) = (String::new(), Instant::now(), Sampling::each(SAMPLE_EACH));
        Ok(Course {
            client,
            lease,
            copies,
            stored,
            journal,
            synced,
            list_from,
            can,
            sampling,
            kubelets,
            said,
        })
    }

    /// Goes round until it is over; takes back what is not done after `wait_ms`, or when somebody interrupts.
    pub async fn run(mut self, wait_ms: i64, out: &mut dyn Write) -> Result<(), CommandError> {
        let until = Instant::now() + Duration::from_millis(wait_ms.max(0) as u64);
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        let mut stop: Option<String> = None;
        while !self.journal.is_over() {
            if let Some(reason) = stop.take() {
                self.journal.roll_back(&reason, now_ms());
            }
            match self.round(out).await {
                Ok(()) => {}
                Err(CommandError::Cluster(error)) => self.say(out, &format!("waiting: {error}"))?,
                Err(error) => return Err(error),
            }
            let now = Instant::now();
            if now > until {
                stop = Some("it was not done in time".into());
            }
            if now > until + BEYOND {
                return Err(CommandError::Unfinished(self.journal.plan.id.clone()));
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EACH) => {}
                _ = interrupts.recv() => stop = Some("it was interrupted".into()),
                _ = terminations.recv() => stop = Some("it was interrupted".into()),
            }
        }
        let (journal, said) = (self.journal, self.said);
        // It is over: who comes next would only have to wait.
        let _ = self.lease.release().await;
        end(&journal, &said, out)
    }

    async fn round(&mut self, out: &mut dyn Write) -> Result<(), CommandError> {
        self.hold().await?;
        let Some(seen) = self.look().await? else {
            return self.say(out, "waiting: part of the cluster is out of sight");
        };
        let Step { journal, orders, verdict, progress } = step(&self.journal, &seen, now_ms());
        self.store(journal).await?;
        let (Verdict::Hold(why) | Verdict::Advance(why) | Verdict::RollBack(why) | Verdict::Done(why)) =
            &verdict;
        let head = match progress.wave {
            0 => String::new(),
            wave => format!(
                "wave {wave} of {}, {} of {} pods: ",
                progress.waves, progress.pods_sized, progress.pods
            ),
        };
        self.say(out, &format!("{head}{why}"))?;
        for order in &orders {
            // The next look derives anew what was not carried out.
            let order_done = act::carry_out(&self.client, &self.journal.plan.id, &seen, order);
            if let Err(error) = self.lease.during(&words(order), order_done).await {
                self.say(out, &format!("{}: {error}", words(order)))?;
            }
        }
        Ok(())
    }

    /// Everything as it is now, if that can be seen: by the watches where they hold, else listed anew.
    async fn look(&mut self) -> Result<Option<Inventory>, CommandError> {
        if !self.synced.is_fresh() {
            let started = Instant::now();
            if started < self.list_from {
                return Ok(None);
            }
            let watch = Watch::start(&self.client, namespace_of(&self.journal.plan)).await?;
            let synced = watch.synced(SYNC_WITHIN).await;
            self.list_from = Instant::now() + (started.elapsed() * PAUSES_OF_LISTS).max(LOOK_EACH);
            self.synced = synced?.after(&self.synced);
            self.hold().await?;
        }
        let mut seen = self.synced.inventory(now_ms(), self.can);
        // Where nobody says what is used, history has to do.
        let _ = self.sampling.take(&self.client, namespace_of(&self.journal.plan)).await;
        self.sampling.fill(&mut seen);
        let plan = &self.journal.plan;
        self.kubelets.fill(&mut seen, |workload| changes(plan, workload)).await;
        Ok(Some(seen))
    }

    /// Keeps the lease, or gets it back where nobody else has it.
    async fn hold(&mut self) -> Result<(), CommandError> {
        if self.lease.renew().await.is_ok() {
            return Ok(());
        }
        match Lease::ask(&self.client, LEASE, self.lease.holder()).await? {
            Asked::Ours(lease) => {
                self.lease = *lease;
                Ok(())
            }
            Asked::Held(holder) => Err(CommandError::Held(holder)),
        }
    }

    /// Stores what has changed before anything is done by it.
    async fn store(&mut self, journal: Journal) -> Result<(), CommandError> {
        let text = serde_json::to_string(&journal).map_err(|error| CommandError::Form(error.to_string()))?;
        self.lease.during("journal", self.stored.write(&text)).await?;
        self.copies.keep(&journal, self.stored.revision());
        self.journal = journal;
        Ok(())
    }

    /// A line where it says something new.
    fn say(&mut self, out: &mut dyn Write, line: &str) -> Result<(), CommandError> {
        if self.said != line {
            writeln!(out, "{line}")?;
            out.flush()?;
            self.said = line.to_string();
        }
        Ok(())
    }
}

/// How far the plan is, now that nobody else changes anything: who had the lease before may have written until then.
async fn begin(
    copies: &mut Copies,
    plan: Plan,
    aim: Aim,
    seen: &Inventory,
) -> Result<(Stored, Journal), CommandError> {
    let now_ms = now_ms();
    let found = copies.find(&plan.id).await?;
    if aim == Aim::Forward {
        found.begun()?;
    }
    let Found { stored, journal, .. } = found;
    let is_ours = |change: &Change| seen.admitted.get(&change.workload).is_some_and(|it| it.by == plan.id);
    let mut journal = match (journal, aim) {
        (Some(journal), _) => journal,
        (None, Aim::Back) => Journal::begin_back(plan, seen, ASKED, now_ms),
        (None, Aim::Forward) if plan.changes.iter().any(is_ours) => return Err(CommandError::Lost(plan.id)),
        (None, Aim::Forward) => return Ok((stored, Journal::begin(plan, seen, now_ms))),
    };
    let is_back = matches!(journal.phase, Phase::RolledBack { .. });
    if !is_back && (aim == Aim::Back || !journal.is_over()) {
        let all = copies.all().await?;
        if let Some((later, workload)) = in_the_way(&journal, all.iter().map(|known| &known.journal)) {
            let (id, later) = (journal.plan.id.clone(), later.plan.id.clone());
            return Err(CommandError::Later { id, later, workload: workload.to_string() });
        }
    }
    if aim == Aim::Back {
        journal.roll_back(ASKED, now_ms);
    }
    Ok((stored, journal))
}

fn end(journal: &Journal, said: &str, out: &mut dyn Write) -> Result<(), CommandError> {
    match &journal.phase {
        Phase::RolledBack { reason, remains, .. } => {
            for line in remains {
                writeln!(out, "remains: {line}")?;
            }
            Err(CommandError::RolledBack(reason.clone()))
        }
        _ => {
            if said != "applied" {
                writeln!(out, "applied")?;
            }
            Ok(())
        }
    }
}

/// Somebody who can be found.
pub(in crate::commands) fn holder() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let who = std::env::var("USER").unwrap_or_else(|_| "somebody".into());
    format!("{who}@{host}, process {}", std::process::id())
}

impl From<ClusterError> for CommandError {
    fn from(error: ClusterError) -> CommandError {
        CommandError::Cluster(error)
    }
}
