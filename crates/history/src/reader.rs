//! A reader: servers and folders of blocks behind one face.

use super::each::each;
use super::server::access::Access;
use super::server::{Cost, Server, Way};
use super::tsdb::Folder;
use super::{HistoryError, Labels, Point, Range, Selector, Sink};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What history of a cluster is read from.
#[derive(Debug)]
pub enum Reader {
    /// A server.
    Server(Server),
    /// A folder of a Prometheus' blocks, and its name.
    Blocks(Folder, PathBuf),
}

impl Reader {
    /// Finds out how to read from a server.
    pub fn of_server(url: &str, ways: &[Way], access: &Access) -> Result<Reader, HistoryError> {
        Server::open(url, access, ways).map(Reader::Server)
    }

    /// Opens a folder of blocks.
    pub fn of_blocks(folder: &Path) -> Result<Reader, HistoryError> {
        Ok(Reader::Blocks(Folder::open(folder)?, folder.to_path_buf()))
    }

    /// When its history ends, where that is known, in milliseconds since 1970.
    pub fn end_ms(&self) -> Option<i64> {
        match self {
            Reader::Server(_) => None,
            Reader::Blocks(folder, _) => Some(folder.end_ms()),
        }
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
            Reader::Blocks(folder, _) => folder.values(label, &selector.metric, range),
        }
    }

    /// The labels of some series.
    pub fn labels(&self, selectors: &[Selector], range: Range) -> Result<Vec<Labels>, HistoryError> {
        match self {
            Reader::Server(server) => server.labels(selectors, range),
            Reader::Blocks(folder, _) => {
                let mut names = Names::default();
                selectors.iter().try_for_each(|selector| folder.read(selector, range, &mut names))?;
                Ok(names.0.into_iter().collect())
            }
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
            Reader::Blocks(folder, _) => {
                selectors.iter().try_for_each(|selector| folder.read(selector, range, sink))
            }
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
            Reader::Blocks(..) => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                each(items, cores, of, done, &|| ())
            }
        }
    }

    /// How it is read, in words.
    pub fn way(&self) -> &'static str {
        match self {
            Reader::Server(server) => server.way().name(),
            Reader::Blocks(..) => "blocks",
        }
    }

    /// What it has cost a server so far.
    pub fn cost(&self) -> Option<Cost> {
        match self {
            Reader::Server(server) => Some(server.cost()),
            Reader::Blocks(..) => None,
        }
    }

    /// An error of what is read from.
    pub fn failed(&self, problem: &str, advice: &'static str) -> HistoryError {
        match self {
            Reader::Server(server) => server.failed(problem, advice),
            Reader::Blocks(_, path) => {
                HistoryError::Lacking { path: path.display().to_string(), problem: problem.into(), advice }
            }
        }
    }
}

/// The names that go by.
#[derive(Default)]
struct Names(BTreeSet<Labels>);

impl Sink for Names {
    fn series(&mut self, labels: &Labels) {
        self.0.insert(labels.clone());
    }

    fn points(&mut self, _: &[Point]) {}
}
