//! Frames of remote read, made by hand: so that they can be wrong in any place.

/// An unsigned number, seven bits a byte.
pub fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A field of a message that holds bytes, text or another message.
pub fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [&[tag << 3 | 2], varint(bytes.len() as u64).as_slice(), bytes].concat()
}

/// A field of a message that holds a number.
fn number(tag: u8, number: u64) -> Vec<u8> {
    [&[tag << 3], varint(number).as_slice()].concat()
}

/// An XOR chunk of a value that stays the same: after the first two samples, two bits each, all zero.
pub fn flat_chunk(start_ms: i64, step_ms: u64, value: f64, count: u16) -> Vec<u8> {
    assert!(start_ms >= 0 && count >= 2);
    let start = varint((start_ms << 1) as u64);
    let zeros = vec![0; (1 + 2 * (usize::from(count) - 2)).div_ceil(8)];
    [count.to_be_bytes().as_slice(), &start, &value.to_bits().to_be_bytes(), &varint(step_ms), &zeros]
        .concat()
}

/// `ChunkedReadResponse` with one series and one chunk.
pub fn message(labels: &[(&str, &str)], chunk: &[u8]) -> Vec<u8> {
    let label =
        |(name, value): &(&str, &str)| [field(1, name.as_bytes()), field(2, value.as_bytes())].concat();
    let labels: Vec<u8> = labels.iter().flat_map(|pair| field(1, &label(pair))).collect();
    let chunk = [number(1, 0), number(2, 0), number(3, 1), field(4, chunk)].concat();
    field(1, &[labels, field(2, &chunk)].concat())
}

/// A frame around a message.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let checksum = crc32c::crc32c(message).to_be_bytes();
    [varint(message.len() as u64).as_slice(), &checksum, message].concat()
}
