//! XOR chunks: times by the change of their distance, values by what differs from the one before.
//!
//! Source: Facebook's Gorilla (VLDB'15) as Prometheus packs it, `tsdb/chunkenc/xor.go` and `tsdb/docs/format/chunks.md`.

use super::bits::{Bits, End};
use crate::sink::Point;

/// The number by which Prometheus names this encoding.
pub const ENCODING: u8 = 1;
/// A chunk says in two bytes how many samples it has.
pub const POINTS_MAX: usize = u16::MAX as usize;

/// Why a chunk cannot be unpacked: it ends before its last sample.
pub type Truncated = End;

/// Appends the samples of a chunk, but for those that are no numbers: markers of staleness.
pub fn decode(chunk: &[u8], points: &mut Vec<Point>) -> Result<(), Truncated> {
    let Some((count, packed)) = chunk.split_first_chunk::<2>() else { return Err(End) };
    let mut bits = Bits::new(packed);
    let (mut at_ms, mut delta_ms) = (0i64, 0u64);
    let mut value = Value { bits: 0, leading: 0, trailing: 0 };
    for number in 0..u16::from_be_bytes(*count) {
        match number {
            0 => {
                at_ms = bits.varint()?;
                value.bits = bits.number(64)?;
            }
            1 => {
                delta_ms = bits.uvarint()?;
                value.next(&mut bits)?;
            }
            _ => {
                delta_ms = delta_ms.wrapping_add(change(&mut bits)? as u64);
                value.next(&mut bits)?;
            }
        }
        if number > 0 {
            at_ms = at_ms.wrapping_add(delta_ms as i64);
        }
        let value = f64::from_bits(value.bits);
        if !value.is_nan() {
            points.push(Point { at_ms, value });
        }
    }
    Ok(())
}

/// The last value and where its last difference lay.
struct Value {
    bits: u64,
    leading: u32,
    trailing: u32,
}

impl Value {
    #[inline]
    fn next(&mut self, bits: &mut Bits) -> Result<(), End> {
        if !bits.bit()? {
            return Ok(());
        }
        if bits.bit()? {
            self.leading = bits.number(5)? as u32;
            // All 64 bits differ: it does not fit in six bits, and none would be a difference of nothing.
            let differing = match bits.number(6)? as u32 {
                0 => 64,
                differing => differing,
            };
            self.trailing = 64u32.checked_sub(self.leading + differing).ok_or(End)?;
        }
        self.bits ^= bits.number(64 - self.leading - self.trailing)? << self.trailing;
        Ok(())
    }
}

/// By how much the distance to the sample before has changed, in milliseconds.
#[inline]
fn change(bits: &mut Bits) -> Result<i64, End> {
    let mut ones = 0;
    while ones < 4 && bits.bit()? {
        ones += 1;
    }
    let width = match ones {
        0 => return Ok(0),
        1 => 14,
        2 => 17,
        3 => 20,
        _ => return Ok(bits.number(64)? as i64),
    };
    let change = bits.number(width)? as i64;
    // A value above half the range is a negative one; half of it is not.
    Ok(if change > 1 << (width - 1) { change - (1 << width) } else { change })
}

#[cfg(test)]
mod tests {
    use super::super::encode::xor;
    use super::*;
    use proptest::prelude::*;

    fn decoded(chunk: &[u8]) -> Result<Vec<Point>, Truncated> {
        let mut points = Vec::new();
        decode(chunk, &mut points).map(|()| points)
    }

    #[test]
    fn markers_of_staleness_are_left_out() {
        let stale = f64::from_bits(0x7ff0_0000_0000_0002);
        let chunk = xor(&[(1000, 1.0), (2000, stale), (3000, 2.0)]);
        let points = decoded(&chunk).unwrap();
        assert_eq!(points, [Point { at_ms: 1000, value: 1.0 }, Point { at_ms: 3000, value: 2.0 }]);
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out(
            start_ms in -1_000_000i64..2_000_000_000_000,
            steps in prop::collection::vec((prop_oneof![Just(60_000i64), 0i64..200_000, 0i64..4_000_000_000], prop_oneof![
                Just(5e8), 0f64..1e12, any::<f64>().prop_filter("a number", |value| !value.is_nan()),
            ]), 0..300),
        ) {
            let mut at_ms = start_ms;
            let samples: Vec<(i64, f64)> = steps.into_iter().map(|(step, value)| { at_ms += step; (at_ms, value) }).collect();
            let points: Vec<(i64, u64)> =
                decoded(&xor(&samples)).unwrap().iter().map(|point| (point.at_ms, point.value.to_bits())).collect();
            let expect: Vec<(i64, u64)> = samples.iter().map(|(at_ms, value)| (*at_ms, value.to_bits())).collect();
            prop_assert_eq!(points, expect);
        }

        #[test]
        fn half_a_chunk_is_an_error(samples in prop::collection::vec(0f64..1e9, 1..50), cut in 0.0f64..1.0) {
            let samples: Vec<(i64, f64)> = samples.into_iter().enumerate().map(|(i, value)| (i as i64 * 60_000, value)).collect();
            let chunk = xor(&samples);
            let cut = (chunk.len() as f64 * cut) as usize;
            prop_assert!(decoded(&chunk[..cut]).is_err());
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decoded(&bytes);
        }
    }
}
