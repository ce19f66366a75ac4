//! The ledger: how many tokens exist, how many may, and which are gone or foreign. Arithmetic only.
//!
//! The pool tells how many tokens wait in it; every other token that was issued is in the hands of a client.
//! Nothing else is known of the clients, so the only moves are to issue, to withhold a token that waits, to
//! write off one that nobody alive can hold, and to remove one that was never issued.

/// Milliseconds for which tokens must be missing from every living client before they are written off. A client
/// takes a token before it starts the job, and its job may end before the token is back.
pub const LOST_AFTER_MS: u64 = 2_000;

/// What to do with the pool next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Put this many tokens in, then say [`Ledger::issued_more`].
    Issue(u32),
    /// Take up to this many out, then say [`Ledger::withheld`].
    Withhold(u32),
    /// Take this many out that were never issued.
    RemoveForeign(u32),
    /// Nothing, for now.
    Rest,
}

/// Numbers for the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens that may be out in all.
    pub target: u32,
    /// Tokens waiting in the pool.
    pub waiting: u32,
    /// Tokens clients hold.
    pub outstanding: u32,
    /// Tokens lost with a client that died, and issued again.
    pub lost: u32,
}

/// The account of one pool.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    target: u32,
    issued: u32,
    lost: u32,
    shortage: Option<Shortage>,
}

/// Tokens that no living client can hold: since when, and the fewest since then.
#[derive(Debug, Clone, Copy)]
struct Shortage {
    since_ms: u64,
    tokens: u32,
}

impl Ledger {
    /// Sets how many tokens may be out in all.
    pub fn set_target(&mut self, tokens: u32) {
        self.target = tokens;
    }

    /// Tokens that exist although they should not: to be withheld as they come back.
    pub fn surplus(&self) -> u32 {
        self.issued.saturating_sub(self.target)
    }

    /// What to do when this many tokens wait in the pool.
    pub fn step(&self, waiting: u32) -> Step {
        // More waiting than were ever issued: a client gave back what it did not take. This must come first,
        // else such a token would be withheld in place of one that is out.
        if waiting > self.issued {
            return Step::RemoveForeign(waiting - self.issued);
        }
        if self.issued < self.target {
            return Step::Issue(self.target - self.issued);
        }
        match self.surplus().min(waiting) {
            0 => Step::Rest,
            tokens => Step::Withhold(tokens),
        }
    }

    /// Tokens were put in.
    pub fn issued_more(&mut self, tokens: u32) {
        self.issued += tokens;
    }

    /// Tokens were taken out for good.
    pub fn withheld(&mut self, tokens: u32) {
        self.issued = self.issued.saturating_sub(tokens);
    }

    /// Writes off tokens that died with their holders. `holdable` is the most that the living can hold, `None`
    /// while that cannot be told. Returns how many were written off now; the next step issues them again.
    pub fn reconcile(&mut self, waiting: u32, holdable: Option<u32>, now_ms: u64) -> u32 {
        let missing = holdable.map_or(0, |most| self.outstanding(waiting).saturating_sub(most));
        if missing == 0 {
            self.shortage = None;
            return 0;
        }
        let shortage = self.shortage.get_or_insert(Shortage { since_ms: now_ms, tokens: missing });
        shortage.tokens = shortage.tokens.min(missing);
        if now_ms.saturating_sub(shortage.since_ms) < LOST_AFTER_MS {
            return 0;
        }
        let tokens = shortage.tokens;
        self.shortage = None;
        self.issued -= tokens;
        self.lost += tokens;
        tokens
    }

    /// The numbers when this many tokens wait.
    pub fn counts(&self, waiting: u32) -> Counts {
        Counts { target: self.target, waiting, outstanding: self.outstanding(waiting), lost: self.lost }
    }

    fn outstanding(&self, waiting: u32) -> u32 {
        self.issued.saturating_sub(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A pool and its clients as they really are, which the ledger only sees by `waiting`.
    #[derive(Debug, Default)]
    struct World {
        ledger: Ledger,
        waiting: u32,
        /// Tokens held, per client.
        clients: Vec<u32>,
        /// Tokens that died with a client and are not written off yet.
        dead: u32,
        now_ms: u64,
    }

    #[derive(Debug, Clone)]
    enum Event {
        Target(u32),
        Take(usize),
        Give(usize),
        Die(usize),
        Forge,
        Tick(u64),
    }

    impl World {
        fn happen(&mut self, event: &Event) {
            match *event {
                Event::Target(tokens) => self.ledger.set_target(tokens),
                Event::Take(client) if self.waiting > 0 => {
                    self.waiting -= 1;
                    self.clients[client] += 1;
                }
                Event::Give(client) if self.clients[client] > 0 => {
                    self.clients[client] -= 1;
                    self.waiting += 1;
                }
                Event::Die(client) => self.dead += std::mem::take(&mut self.clients[client]),
                Event::Forge => self.waiting += 1,
                Event::Tick(ms) => self.tick(ms),
                Event::Take(_) | Event::Give(_) => {}
            }
            self.settle();
        }

        fn tick(&mut self, ms: u64) {
            self.now_ms += ms;
            let held: u32 = self.clients.iter().sum();
            self.dead -= self.ledger.reconcile(self.waiting, Some(held), self.now_ms).min(self.dead);
        }

        fn settle(&mut self) {
            loop {
                match self.ledger.step(self.waiting) {
                    Step::Issue(tokens) => {
                        self.waiting += tokens;
                        self.ledger.issued_more(tokens);
                    }
                    Step::Withhold(tokens) => {
                        self.waiting -= tokens;
                        self.ledger.withheld(tokens);
                    }
                    Step::RemoveForeign(tokens) => self.waiting -= tokens,
                    Step::Rest => break,
                }
            }
        }

        fn held(&self) -> u32 {
            self.clients.iter().sum()
        }
    }

    fn events(forge: bool) -> impl Strategy<Value = Vec<Event>> {
        let client = 0usize..4;
        let kinds = prop_oneof![
            2 => (0u32..12).prop_map(Event::Target),
            6 => client.clone().prop_map(Event::Take),
            5 => client.clone().prop_map(Event::Give),
            1 => client.clone().prop_map(Event::Die),
            1 => client.prop_map(move |c| if forge { Event::Forge } else { Event::Give(c) }),
            2 => (0u64..3_000).prop_map(Event::Tick),
        ];
        prop::collection::vec(kinds, 0..80)
    }

    fn world() -> World {
        World { clients: vec![0; 4], ..World::default() }
    }

    proptest! {
        /// Honest clients that may die: no token is lost or doubled, and no more wait than the target allows.
        #[test]
        fn every_token_is_accounted_for(events in events(false)) {
            let mut world = world();
            for event in &events {
                world.happen(event);
                prop_assert_eq!(world.ledger.issued, world.waiting + world.held() + world.dead, "{:?}", event);
                prop_assert!(world.ledger.issued <= world.ledger.target.max(world.held() + world.dead));
            }
            world.clients = vec![0; 4];
            world.waiting = world.ledger.issued - world.dead; // everybody gives back
            for _ in 0..3 {
                world.happen(&Event::Tick(LOST_AFTER_MS));
            }
            prop_assert_eq!((world.waiting, world.dead), (world.ledger.target, 0), "all back at the end");
        }

        /// Clients that give back more than they took: gone again once everybody has ended.
        #[test]
        fn foreign_tokens_are_removed(events in events(true)) {
            let mut world = world();
            for event in &events {
                world.happen(event);
                prop_assert!(world.waiting <= world.ledger.issued);
            }
            world.waiting += world.held();
            world.clients = vec![0; 4];
            for _ in 0..3 {
                world.happen(&Event::Tick(LOST_AFTER_MS));
            }
            prop_assert_eq!(world.waiting, world.ledger.target);
        }
    }

    #[test]
    fn lost_only_after_a_while_and_only_the_fewest() {
        let mut ledger = Ledger::default();
        ledger.set_target(8);
        ledger.issued_more(8);
        let mut check = |waiting, holdable, now_ms, expect| {
            assert_eq!(ledger.reconcile(waiting, holdable, now_ms), expect, "{now_ms} ms");
        };
        check(2, Some(1), 0, 0); // five are missing
        check(4, Some(1), 1_000, 0); // three
        check(2, Some(1), 2_500, 3); // never fewer than three for 2 s
        check(2, Some(1), 2_600, 0); // 5 issued, 3 out: the clock starts anew
        check(2, None, 9_000, 0); // a client lives that may hold any number
        check(2, Some(1), 9_100, 0);
        check(2, Some(3), 10_000, 0); // explained: nothing missing
        check(2, Some(1), 20_000, 0);
        check(2, Some(1), 22_000, 2);
    }
}
