//! The LimitRanges of a namespace: sizes are brought into their bounds, in bytes
//! (<https://kubernetes.io/docs/concepts/policy/limit-range/>).

use crate::inventory::quantity::Quantity;
use crate::inventory::{Inventory, LimitRange, Sizes};
use crate::size::MIB;

/// All that hold in a namespace.
pub struct Bounds<'a>(Vec<&'a LimitRange>);

impl<'a> Bounds<'a> {
    pub fn of(inventory: &'a Inventory, namespace: &str) -> Bounds<'a> {
        Bounds(inventory.limit_ranges.iter().filter(|range| range.namespace == namespace).collect())
    }

    /// The nearest sizes that all of them allow, and a note of each that moved them; else the one in the way.
    pub fn fit(&self, sizes: Sizes, floor_bytes: u64) -> Result<(Sizes, Vec<String>), &'a LimitRange> {
        let (mut fitted, mut notes) = (sizes, Vec::new());
        for range in &self.0 {
            let before = fitted.clone();
            fitted = nearest(range, fitted);
            if !fitted.same(&before) {
                notes.push(format!("brought into the bounds of LimitRange '{}'", range.name));
            }
            if fitted.limit_bytes().is_some_and(|limit| limit < floor_bytes) {
                return Err(range);
            }
        }
        self.against(&fitted).map_or(Ok((fitted, notes)), Err)
    }

    /// The first that does not allow these sizes.
    pub fn against(&self, sizes: &Sizes) -> Option<&'a LimitRange> {
        self.0.iter().copied().find(|range| !allows(range, sizes))
    }
}

fn nearest(range: &LimitRange, sizes: Sizes) -> Sizes {
    let clamp = |size: Quantity| {
        let bytes = size.bytes();
        let most = range.max_bytes.map_or(bytes, |max| bytes.min(max));
        let within = range.min_bytes.map_or(most, |min| most.max(min));
        if within == bytes { size } else { Quantity::of_bytes(within) }
    };
    let limit = sizes.limit.map(clamp);
    let request = sizes.request.map(clamp).map(|request| match (range.max_ratio, &limit) {
        (Some(ratio), Some(limit)) if exceeds(limit.bytes(), request.bytes(), ratio) => {
            // A MiB more where rounding leaves it a hair too small.
            let least = ((limit.bytes() as f64 / ratio).ceil() as u64).div_ceil(MIB).saturating_mul(MIB);
            let enough = if exceeds(limit.bytes(), least, ratio) { least.saturating_add(MIB) } else { least };
            if enough >= limit.bytes() { limit.clone() } else { Quantity::of_bytes(enough) }
        }
        _ => request,
    });
    Sizes { request, limit }
}

fn allows(range: &LimitRange, sizes: &Sizes) -> bool {
    let request_bytes = sizes.requested_bytes();
    let limit_bytes = sizes.limit_bytes();
    let least = range.min_bytes.is_none_or(|min| min <= request_bytes);
    let most = range.max_bytes.is_none_or(|max| limit_bytes.unwrap_or(request_bytes) <= max);
    let ratio = range.max_ratio.zip(limit_bytes);
    least && most && ratio.is_none_or(|(ratio, limit)| !exceeds(limit, request_bytes, ratio))
}

/// There is no ratio to nothing.
fn exceeds(limit_bytes: u64, request_bytes: u64, ratio: f64) -> bool {
    request_bytes == 0 || limit_bytes as f64 / request_bytes as f64 > ratio
}
