//! Servers: Prometheus and what speaks like it.
//!
//! What a server can do is found out by asking it, the cheapest way of reading first: [remote read](remote_read) hands out
//! whole chunks, [export](export) raw lines; [queries](query) are what all of them have, and what costs them most.

pub mod access;
mod cost;
mod export;
mod failure;
mod frames;
#[cfg(fuzzing)]
pub mod fuzzing;
mod http;
mod page;
mod query;
mod remote_read;
mod url;
mod wire;

use super::each::each;
use super::{HistoryError, Labels, Range, Selector, Sink};
use access::Access;
use http::Client;
use std::collections::BTreeSet;

pub use cost::Cost;
pub use page::Page;

/// So many requests are under way at the same time: a server has others to answer too.
const REQUESTS_AT_ONCE_MAX: usize = 4;

/// How history is read from a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Prometheus' remote read, in whole chunks: Prometheus, Mimir, Cortex.
    RemoteRead,
    /// VictoriaMetrics' export of raw samples.
    Export,
    /// Queries of the highest of each hour, a day at a time: Thanos, and everything else.
    Query,
}

impl Way {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Way::RemoteRead => "remote read",
            Way::Export => "export",
            Way::Query => "queries",
        }
    }
}

/// A server that has answered.
#[derive(Debug)]
pub struct Server {
    client: Client,
    way: Way,
}

impl Server {
    /// Finds out how to read from it; only among `ways`, each asked for once. The URL may have a path, under which the API
    /// is, and user and password, which [`Access::authorization`] goes before.
    pub fn open(url: &str, access: &Access, ways: &[Way]) -> Result<Server, HistoryError> {
        let client = Client::new(url, access)?;
        let mut refusal = None;
        for way in ways {
            let is_there = match way {
                Way::RemoteRead => remote_read::is_there(&client),
                Way::Export => export::is_there(&client),
                Way::Query => query::is_there(&client),
            };
            match is_there {
                Ok(true) => return Ok(Server { client, way: *way }),
                Ok(false) => {}
                // VictoriaMetrics says 400 to what it does not know, and a proxy may let only queries through.
                Err(error) if matches!(error.status(), Some(400 | 403)) => refusal = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(refusal.unwrap_or_else(|| {
            client.failed(
                "neither remote read, export nor queries are answered there",
                "check the URL and its path",
            )
        }))
    }

    /// How it is read from.
    pub fn way(&self) -> Way {
        self.way
    }

    /// What it has cost so far.
    pub fn cost(&self) -> Cost {
        self.client.meter.cost()
    }

    /// The values that a label has among some series.
    pub fn values(
        &self,
        label: &str,
        selector: &Selector,
        range: Range,
    ) -> Result<BTreeSet<String>, HistoryError> {
        query::values(&self.client, label, selector, range)
    }

    /// The labels of some series, without their samples.
    pub fn labels(&self, selectors: &[Selector], range: Range) -> Result<Vec<Labels>, HistoryError> {
        query::labels(&self.client, selectors, range)
    }

    /// An error of this server.
    pub fn failed(&self, problem: &str, advice: &'static str) -> HistoryError {
        self.client.failed(problem, advice)
    }

    /// Reads series, in one request where the server can. A request that fails midway is sent again, so a sink may get the same
    /// points twice.
    pub fn read(
        &self,
        selectors: &[Selector],
        range: Range,
        sink: &mut dyn Sink,
    ) -> Result<(), HistoryError> {
        let mut counted = Counted { sink, points: 0 };
        let read = match self.way {
            Way::RemoteRead => remote_read::read(&self.client, selectors, range, &mut counted),
            Way::Export => export::read(&self.client, selectors, range, &mut counted),
            Way::Query => {
                selectors.iter().try_for_each(|one| query::read(&self.client, one, range, &mut counted))
            }
        };
        self.client.meter.points(counted.points);
        read
    }

    /// Reads, by queries, what holds at the beginning of a range and after each step of it.
    ///
    /// # Errors
    ///
    /// Where the server does not answer as it should.
    pub fn steps(
        &self,
        selector: &Selector,
        range: Range,
        step_ms: i64,
        sink: &mut dyn Sink,
    ) -> Result<(), HistoryError> {
        query::steps(&self.client, selector, range, step_ms, sink)
    }

    /// Asks for many things, up to four at the same time, in the order of the items; `done` is told how many are finished. The first error
    /// ends the others, and the server must be opened anew.
    pub fn each<I: Sync, T: Send>(
        &self,
        items: &[I],
        of: impl Fn(&I) -> Result<T, HistoryError> + Sync,
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<T>, HistoryError> {
        each(items, REQUESTS_AT_ONCE_MAX, of, done, &|| self.client.stop())
    }
}

/// Counts what goes by.
struct Counted<'a> {
    sink: &'a mut dyn Sink,
    points: u64,
}

impl Sink for Counted<'_> {
    fn series(&mut self, labels: &Labels) {
        self.sink.series(labels);
    }

    fn points(&mut self, points: &[super::Point]) {
        self.points += points.len() as u64;
        self.sink.points(points);
    }
}
