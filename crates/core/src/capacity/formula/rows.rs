//! Rows: observations as numbers, in blocks of time.
//!
//! Minutes depend on each other, so evidence is not counted in rows: all rows of a pod within [`SLOT_MS`] weigh as much as
//! one, and what is left out to see how much depends on it is a whole block.

use super::super::roles::Role;
use super::observation::Observation;
use super::plain::MB;
use super::retained::{Retained, Stay};
use super::squares::Sums;
use crate::sizing::{DAY_MS, HOUR_MS};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of a pod within so long say the same: memory takes minutes to follow.
pub const SLOT_MS: i64 = 600_000;
/// Blocks to be had, if need be by taking shorter ones.
const BLOCKS_WANTED: usize = 8;

/// What a column stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// A pod.
    Base,
    /// One of a role.
    Role(Role),
    /// A connection.
    Connection,
    /// An hour of running.
    Hour,
}

/// One observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Which process, by number.
    pub process: usize,
    /// Which block, by number, from 0.
    pub block: usize,
    /// What it used, in MB.
    pub memory_mb: f64,
    /// Its share of a slot.
    pub weight: f64,
}

/// All observations with a memory, by column. The first column is [`Column::Base`].
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// What the columns stand for.
    pub columns: Vec<Column>,
    /// The rows, in the order of time.
    pub rows: Vec<Row>,
    /// How many blocks there are, none of them empty.
    pub blocks: usize,
    /// How long each is, in milliseconds.
    pub block_ms: i64,
    values: Vec<f64>,
}

impl Rows {
    /// Observations of one version, in the order of time. Connections are a column where `has_connections`; what was not
    /// read of them drops the row.
    pub fn new(observations: &[&Observation], stay: Stay, has_connections: bool) -> Rows {
        let columns = columns(observations, has_connections);
        let block_ms = block_ms(observations);
        let mut rows = Rows { columns, rows: Vec::new(), blocks: 0, block_ms, values: Vec::new() };
        let mut retained = Retained::new(stay);
        let mut processes: BTreeMap<(&str, i64), usize> = BTreeMap::new();
        let mut block = None;
        for seen in observations {
            retained.take(seen);
            let Some(memory_bytes) = seen.memory_bytes else { continue };
            if has_connections && seen.connections.is_none() {
                continue;
            }
            let count = processes.len();
            let process = *processes.entry((&seen.pod, retained.since_ms(&seen.pod))).or_insert(count);
            if block != Some(seen.at_ms.div_euclid(block_ms)) {
                block = Some(seen.at_ms.div_euclid(block_ms));
                rows.blocks += 1;
            }
            let (at_ms, block, memory_mb) = (seen.at_ms, rows.blocks - 1, memory_bytes as f64 / MB);
            rows.rows.push(Row { at_ms, process, block, memory_mb, weight: 1.0 });
            rows.values.extend(rows.columns.iter().map(|column| value(column, seen, &retained)));
        }
        rows.weigh();
        rows
    }

    /// So that the rows of a process within a slot weigh 1 together.
    fn weigh(&mut self) {
        let slot = |row: &Row| (row.process, row.at_ms.div_euclid(SLOT_MS));
        let mut counts: BTreeMap<(usize, i64), u32> = BTreeMap::new();
        self.rows.iter().for_each(|row| *counts.entry(slot(row)).or_default() += 1);
        self.rows.iter_mut().for_each(|row| row.weight = 1.0 / f64::from(counts[&slot(row)]));
    }

    /// The values of a row, by column.
    pub fn values(&self, index: usize) -> &[f64] {
        &self.values[index * self.columns.len()..(index + 1) * self.columns.len()]
    }

    /// How many independent observations there are: slots.
    pub fn slots(&self) -> f64 {
        self.rows.iter().map(|row| row.weight).sum()
    }

    /// Sums of products for each block, the memory as the last column; each row weighed by 1 over the square of its spread.
    pub fn sums(&self, spread_mb: impl Fn(&[f64]) -> f64) -> Vec<Sums> {
        let mut blocks = vec![Sums::new(self.columns.len() + 1); self.blocks];
        let mut all = Vec::with_capacity(self.columns.len() + 1);
        for (index, row) in self.rows.iter().enumerate() {
            all.clear();
            all.extend_from_slice(self.values(index));
            let spread_mb = spread_mb(&all);
            all.push(row.memory_mb);
            blocks[row.block].take(&all, row.weight / (spread_mb * spread_mb));
        }
        blocks
    }
}

fn columns(observations: &[&Observation], has_connections: bool) -> Vec<Column> {
    let roles: BTreeSet<&Role> = observations
        .iter()
        .filter(|seen| seen.memory_bytes.is_some())
        .flat_map(|seen| seen.counts.iter().filter(|(_, count)| *count > 0).map(|(role, _)| role))
        .collect();
    let mut columns = vec![Column::Base];
    // More than a few dozen roles are no roles.
    columns.extend(roles.into_iter().take(super::super::roles::ROLES_MAX).cloned().map(Column::Role));
    columns.extend(has_connections.then_some(Column::Connection));
    columns.push(Column::Hour);
    columns
}

fn value(column: &Column, seen: &Observation, retained: &Retained) -> f64 {
    match column {
        Column::Base => 1.0,
        Column::Role(role) => retained.of(&seen.pod, role),
        Column::Connection => seen.connections.unwrap_or(0) as f64,
        Column::Hour => retained.uptime_hours(&seen.pod),
    }
}

/// Days where there are enough of them, else hours.
fn block_ms(observations: &[&Observation]) -> i64 {
    let times = || observations.iter().filter(|seen| seen.memory_bytes.is_some()).map(|seen| seen.at_ms);
    let count =
        |block_ms: i64| times().map(|at_ms| at_ms.div_euclid(block_ms)).collect::<BTreeSet<i64>>().len();
    [DAY_MS, 6 * HOUR_MS].into_iter().find(|block_ms| count(*block_ms) >= BLOCKS_WANTED).unwrap_or(HOUR_MS)
}
