//! The rounds of whoever leads: read use, look, store what is under way, carry out, say how it stands.

use super::memory::Memory;
use super::metrics::Metrics;
use super::publish::Published;
use super::status::policy_status;
use super::{ControllerArgs, End, Told, now_ms};
use crate::commands::CommandError;
use crate::commands::apply::SYNC_WITHIN;
use crate::commands::usage::Sampling;
use kube::{Client, ResourceExt};
use plimsoll_cluster::abilities::abilities;
use plimsoll_cluster::act::{self, Events};
use plimsoll_cluster::kinds::MemoryPolicyStatus;
use plimsoll_cluster::lease::Lease;
use plimsoll_cluster::read::policies::Read;
use plimsoll_cluster::watch::{Synced, Watch};
use plimsoll_core::controller::policy::{Policy, govern};
use plimsoll_core::controller::selector::Labels;
use plimsoll_core::controller::{BY, Controller, Look, Seen};
use plimsoll_core::inventory::{Abilities, Inventory, WorkloadId};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Looks at the cluster come so often. They cost no request: what is seen is fed by watches.
const LOOK_EACH: Duration = Duration::from_secs(2);
/// What the API server can do is asked so often.
const ABILITIES_EACH: Duration = Duration::from_secs(600);

/// Whoever leads.
pub(super) struct Lead {
    client: Client,
    namespace: Option<String>,
    lease: Lease,
    synced: Synced,
    can: Abilities,
    asked: Instant,
    events: Events,
    metrics: Arc<Metrics>,
    memory: Memory,
    controller: Controller,
    sampling: Sampling,
    /// What was said of each policy, by its uid.
    said: BTreeMap<String, MemoryPolicyStatus>,
    published: Published,
    /// What had changed when it looked last, and had nothing to do.
    looked_at: Option<u64>,
    /// How long it was at work since it decided last.
    busy: Duration,
}

/// What is seen in one round.
pub(super) struct View {
    pub inventory: Inventory,
    pub labels: BTreeMap<WorkloadId, Labels>,
    pub read: Vec<Read>,
    /// Those that can be followed, in the order of `read`.
    pub policies: Vec<Policy>,
    /// Which of those governs each workload.
    pub governed: BTreeMap<WorkloadId, usize>,
}

impl Lead {
    pub async fn begin(
        args: &ControllerArgs,
        client: &Client,
        lease: Lease,
        metrics: Arc<Metrics>,
    ) -> Result<Lead, CommandError> {
        let namespace = args.namespace.clone();
        let synced = Watch::start(client, namespace.as_deref()).await?.synced(SYNC_WITHIN).await?;
        if !synced.has_our_kinds() {
            return Err(CommandError::NoKinds);
        }
        let can = abilities(client, namespace.as_deref()).await?;
        let memory = Memory::new(client);
        let controller = memory.recall(args.every, args.learn).await?;
        let events = Events::new(client, lease.holder());
        metrics.leads(true);
        Ok(Lead {
            client: client.clone(),
            namespace,
            lease,
            synced,
            can,
            asked: Instant::now(),
            events,
            metrics,
            memory,
            controller,
            sampling: Sampling::each(Duration::from_millis(args.sample.max(1) as u64)),
            said: BTreeMap::new(),
            published: Published::unknown(),
            looked_at: None,
            busy: Duration::ZERO,
        })
    }

    /// Until it is told to end, or does not lead any more.
    pub async fn run(mut self, told: &mut Told, out: &mut dyn Write) -> End {
        loop {
            let round = tokio::select! {
                round = self.round(out) => round,
                () = told.wait() => return self.end().await,
            };
            match round {
                Ok(()) => {}
                Err(error) => return End::Lost(error),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EACH) => {}
                () = told.wait() => return self.end().await,
            }
        }
    }

    /// What is known is stored, so that the next one need not learn it again; the lease is given back.
    async fn end(mut self) -> End {
        let stored = self.memory.keep(&self.controller).await;
        let released = self.lease.release().await;
        match stored.and(released.map_err(CommandError::from)) {
            Ok(()) => End::Told,
            Err(error) => End::Lost(error),
        }
    }

    async fn round(&mut self, out: &mut dyn Write) -> Result<(), CommandError> {
        self.lease.renew().await?;
        if !self.synced.is_fresh() {
            return Ok(());
        }
        let begun = Instant::now();
        let has_decided = self.look(out).await?;
        if let Err(error) = self.published.write(&self.client).await {
            writeln!(out, "waiting: {error}")?;
        }
        self.memory.keep_now_and_then(&self.controller).await?;
        self.busy += begun.elapsed();
        if has_decided {
            self.metrics.decided(std::mem::take(&mut self.busy));
        }
        Ok(())
    }

    /// Whether it decided.
    async fn look(&mut self, out: &mut dyn Write) -> Result<bool, CommandError> {
        if self.asked.elapsed() > ABILITIES_EACH {
            self.can = abilities(&self.client, self.namespace.as_deref()).await?;
            self.asked = Instant::now();
        }
        let is_sampled = self.sample(out).await?;
        let changes = self.synced.changes();
        if !is_sampled && self.looked_at == Some(changes) && self.controller.is_at_rest(now_ms()) {
            return Ok(false);
        }
        let view = self.view();
        let seen = view.seen();
        if let Some(at_ms) = self.sampling.at_ms().filter(|_| is_sampled) {
            self.controller.observe(seen, at_ms);
        }
        let look = self.controller.look(seen, now_ms());
        self.act(&view, &look, out).await?;
        // What was ordered may have come to nothing, and nothing would change by that.
        self.looked_at = look.orders.is_empty().then_some(changes);
        if look.has_decided {
            self.tell(&view, out).await?;
        }
        Ok(look.has_decided)
    }

    /// Whether use was read just now.
    async fn sample(&mut self, out: &mut dyn Write) -> Result<bool, CommandError> {
        match self.sampling.take(&self.client, self.namespace.as_deref()).await {
            Ok(is_taken) => {
                if is_taken {
                    self.metrics.use_is_known(true);
                }
                Ok(is_taken)
            }
            Err(error) => {
                if self.metrics.use_is_known(false) {
                    writeln!(out, "use is not known: {error}")?;
                }
                Ok(false)
            }
        }
    }

    fn view(&self) -> View {
        let now_ms = now_ms();
        let mut inventory = self.synced.inventory_for_controller(now_ms, self.can);
        self.sampling.fill(&mut inventory);
        let mut read = self.synced.policies(now_ms);
        // Those that cannot be followed come last.
        read.sort_by_key(|read| read.policy.is_err());
        let policies: Vec<Policy> = read.iter().filter_map(|read| read.policy.clone().ok()).collect();
        let labels = self.synced.labels();
        let governed = govern(&policies, &labels);
        View { inventory, labels, read, policies, governed }
    }

    /// What is under way is stored before anything is done by it.
    async fn act(&mut self, view: &View, look: &Look, out: &mut dyn Write) -> Result<(), CommandError> {
        self.memory.keep_courses(&self.controller).await?;
        for order in &look.orders {
            let what = crate::commands::apply::words(order);
            let done = act::carry_out(&self.client, BY, &view.inventory, order);
            let done = self.lease.during(&what, done).await;
            self.metrics.ordered(order, done.is_ok());
            // The next look derives anew what was not carried out.
            if let Err(error) = done {
                writeln!(out, "{what}: {error}")?;
            }
        }
        for event in &look.events {
            writeln!(out, "{}: {}: {}", event.workload, event.reason.name(), event.words)?;
            self.metrics.happened(event.reason);
            if let Err(error) = self.events.say(&view.inventory, event).await {
                writeln!(out, "waiting: {error}")?;
            }
        }
        out.flush()?;
        Ok(())
    }

    /// How it stands with each policy, in its status and in the metrics.
    async fn tell(&mut self, view: &View, out: &mut dyn Write) -> Result<(), CommandError> {
        let stands = self.controller.status(view.seen(), now_ms());
        self.metrics.stands(&view.policies, &stands);
        for (index, read) in view.read.iter().enumerate() {
            let uid = read.object.uid().unwrap_or_default();
            let before = self.said.get(&uid);
            let status = policy_status(read, stands.get(index), self.metrics.knows_use(), before, now_ms());
            if self.said.get(&uid) != Some(&status) {
                if let Err(error) = act::set_policy_status(&self.client, &read.object, &status).await {
                    writeln!(out, "waiting: {error}")?;
                    continue;
                }
                self.said.insert(uid, status);
            }
        }
        if !self.synced.has_vertical_autoscalers() {
            return Ok(());
        }
        let namespace = self.namespace.as_deref();
        if let Err(error) = self.published.renew(&self.client, namespace, view, &self.controller).await {
            writeln!(out, "waiting: {error}")?;
        }
        Ok(())
    }
}

impl View {
    fn seen(&self) -> Seen<'_> {
        let View { inventory, labels, policies, governed, .. } = self;
        Seen { inventory, labels, policies, governed }
    }
}
