//! A reader: servers and folders of blocks behind one face.

use super::server::access::Access;
use super::server::{Cost, Server, Way};
use super::{HistoryError, Labels, Range, Selector, Sink};
use std::collections::BTreeSet;

/// What history of a cluster is read from.
#[derive(Debug)]
pub enum Reader {
    /// A server.
    Server(Server),
}

impl Reader {
    /// Finds out how to read from a server.
    pub fn of_server(url: &str, ways: &[Way], access: &Access) -> Result<Reader, HistoryError> {
        Server::open(url, access, ways).map(Reader::Server)
    }

    /// The values that a label has among some series.
    pub fn values(
        &self,
        label: &str,
        selector: &Selector,
        range: Range,
    ) -> Result<BTreeSet<String>, HistoryError> {
        match self {
            Reader::Server(server) => server.values(label, selector, range),
        }
    }

    /// The labels of some series.
    pub fn labels(&self, selectors: &[Selector], range: Range) -> Result<Vec<Labels>, HistoryError> {
        match self {
            Reader::Server(server) => server.labels(selectors, range),
        }
    }

    /// Reads series; a sink may get the same points twice.
    pub fn read(
        &self,
        selectors: &[Selector],
        range: Range,
        sink: &mut dyn Sink,
    ) -> Result<(), HistoryError> {
        match self {
            Reader::Server(server) => server.read(selectors, range, sink),
        }
    }

    /// Asks for many things, as many at a time as is good for what is read from; `done` is told how many are finished. The first error ends the
    /// others, and it must be opened anew.
    pub fn each<I: Sync, T: Send>(
        &self,
        items: &[I],
        of: impl Fn(&I) -> Result<T, HistoryError> + Sync,
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<T>, HistoryError> {
        match self {
            Reader::Server(server) => server.each(items, of, done),
        }
    }

    /// How it is read, in words.
    pub fn way(&self) -> &'static str {
        match self {
            Reader::Server(server) => server.way().name(),
        }
    }

    /// What it has cost so far.
    pub fn cost(&self) -> Cost {
        match self {
            Reader::Server(server) => server.cost(),
        }
    }

    /// An error of what is read from.
    pub fn failed(&self, problem: &str, advice: &'static str) -> HistoryError {
        match self {
            Reader::Server(server) => server.failed(problem, advice),
        }
    }
}
