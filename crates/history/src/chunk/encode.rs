//! Packs chunks as Prometheus does: for tests, which need chunks of their own making.

/// Bits, the highest of a byte first.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    free: u32,
}

impl Writer {
    fn bit(&mut self, bit: bool) {
        if self.free == 0 {
            self.bytes.push(0);
            self.free = 8;
        }
        self.free -= 1;
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << self.free;
        }
    }

    fn number(&mut self, number: u64, width: u32) {
        (0..width).rev().for_each(|bit| self.bit(number >> bit & 1 == 1));
    }

    fn uvarint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.number(number & 0x7f | 0x80, 8);
            number >>= 7;
        }
        self.number(number, 8);
    }
}

/// An XOR chunk of these times in milliseconds and values; at most 65,535 of them.
pub fn xor(samples: &[(i64, f64)]) -> Vec<u8> {
    let mut writer = Writer::default();
    let (mut last_ms, mut last_delta, mut last, mut leading, mut trailing) = (0i64, 0i64, 0u64, 64u32, 0u32);
    for (number, (at_ms, value)) in samples.iter().enumerate() {
        let delta = at_ms - last_ms;
        match number {
            0 => writer.uvarint((at_ms << 1 ^ at_ms >> 63) as u64),
            1 => writer.uvarint(delta as u64),
            _ => change(&mut writer, delta - last_delta),
        }
        let bits = value.to_bits();
        if number == 0 {
            writer.number(bits, 64);
        } else {
            difference(&mut writer, bits ^ last, &mut leading, &mut trailing);
        }
        (last_ms, last_delta, last) = (*at_ms, delta, bits);
    }
    let mut chunk = (samples.len() as u16).to_be_bytes().to_vec();
    chunk.append(&mut writer.bytes);
    chunk
}

fn change(writer: &mut Writer, change: i64) {
    let fits = |width: u32| -(1 << (width - 1)) < change && change <= 1 << (width - 1);
    match change {
        0 => writer.bit(false),
        _ if fits(14) => {
            writer.number(0b10, 2);
            writer.number(change as u64, 14);
        }
        _ if fits(17) => {
            writer.number(0b110, 3);
            writer.number(change as u64, 17);
        }
        _ if fits(20) => {
            writer.number(0b1110, 4);
            writer.number(change as u64, 20);
        }
        _ => {
            writer.number(0b1111, 4);
            writer.number(change as u64, 64);
        }
    }
}

fn difference(writer: &mut Writer, differing: u64, leading: &mut u32, trailing: &mut u32) {
    if differing == 0 {
        return writer.bit(false);
    }
    writer.bit(true);
    let (now_leading, now_trailing) = (differing.leading_zeros().min(31), differing.trailing_zeros());
    if *leading != 64 && now_leading >= *leading && now_trailing >= *trailing {
        writer.bit(false);
        return writer.number(differing >> *trailing, 64 - *leading - *trailing);
    }
    (*leading, *trailing) = (now_leading, now_trailing);
    let width = 64 - now_leading - now_trailing;
    writer.bit(true);
    writer.number(u64::from(now_leading), 5);
    writer.number(u64::from(width & 63), 6);
    writer.number(differing >> now_trailing, width);
}
