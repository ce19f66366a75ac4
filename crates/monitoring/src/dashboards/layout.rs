//! Where panels stand: from left to right, as wide as they are, and below when there is no more room.

use super::model::{Kind, Row};

/// Columns of Grafana's grid.
pub const COLUMNS: u8 = 24;
/// What a heading takes.
const HEADING_ROWS: u16 = 1;

/// Where something stands, in the grid's columns and rows (of 30 pixels each).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From the left.
    pub x: u8,
    /// From the top.
    pub y: u16,
    /// Columns.
    pub width: u8,
    /// Rows.
    pub height: u16,
}

fn height(kind: &Kind) -> u16 {
    match kind {
        Kind::Number | Kind::Dial => 5,
        Kind::Lines(_) | Kind::Bars => 8,
        Kind::Table { .. } => 10,
    }
}

/// Where the heading of each row stands, and its panels. Panels beside each other are equally high.
pub(super) fn places(rows: &[Row]) -> Vec<(Place, Vec<Place>)> {
    let mut y = 0;
    let mut all = Vec::new();
    for row in rows {
        let heading = Place { x: 0, y, width: COLUMNS, height: HEADING_ROWS };
        y += HEADING_ROWS;
        let mut places: Vec<Place> = Vec::new();
        let (mut x, mut highest) = (0, 0);
        // Where the panels that stand beside the next one begin.
        let mut beside = 0;
        for panel in &row.panels {
            if x + panel.width > COLUMNS {
                places[beside..].iter_mut().for_each(|it| it.height = highest);
                y += highest;
                (x, highest, beside) = (0, 0, places.len());
            }
            highest = highest.max(height(&panel.kind));
            places.push(Place { x, y, width: panel.width, height: 0 });
            x += panel.width;
        }
        places[beside..].iter_mut().for_each(|it| it.height = highest);
        y += highest;
        all.push((heading, places));
    }
    all
}
