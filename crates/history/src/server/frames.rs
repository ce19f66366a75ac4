//! Frames of streamed remote read: the length as a varint, a checksum, a message.
//!
//! Source: Prometheus, `storage/remote/chunked.go`.

use super::http::Unread;
use std::io::{BufRead, ErrorKind, Read};

/// Prometheus, Mimir and Cortex send about one mebibyte at a time; what claims more than this is no frame. The messages in a
/// frame take up to 24 times its bytes once they are unpacked, so this also keeps memory small.
const FRAME_BYTES_MAX: u64 = 4 << 20;

/// The next frame into `frame`; `false` at the end.
pub fn next(input: &mut dyn BufRead, frame: &mut Vec<u8>) -> Result<bool, Unread> {
    let Some(length) = length(input)? else { return Ok(false) };
    if length > FRAME_BYTES_MAX {
        return Err(Unread::Wrong(format!("a frame claims to be {length} bytes long")));
    }
    let mut expect = [0; 4];
    input.read_exact(&mut expect)?;
    frame.clear();
    // What a lying length claims is not set aside before it is there.
    let read = input.take(length).read_to_end(frame)?;
    if (read as u64) < length {
        return Err(Unread::Broken(ErrorKind::UnexpectedEof.into()));
    }
    if crc32c::crc32c(frame) != u32::from_be_bytes(expect) {
        return Err(Unread::Wrong("a frame does not match its checksum".into()));
    }
    Ok(true)
}

/// `None` at the end of the stream.
fn length(input: &mut dyn BufRead) -> Result<Option<u64>, Unread> {
    if input.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut length = 0;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        input.read_exact(&mut byte)?;
        length |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            return Ok(Some(length));
        }
    }
    Err(Unread::Wrong("the length of a frame has no end".into()))
}
