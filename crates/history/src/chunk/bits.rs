//! Reads bits, the highest of a byte first, as Prometheus' chunks hold them.

/// The bytes ended too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End;

/// A place among the bits of some bytes.
#[derive(Debug, Clone)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    /// The next bytes, the very next bit being the highest.
    ahead: u64,
    /// How many bits of it are there.
    count: u32,
}

impl<'a> Bits<'a> {
    /// At the first bit.
    pub fn new(bytes: &'a [u8]) -> Bits<'a> {
        Bits { bytes, ahead: 0, count: 0 }
    }

    /// The next bit.
    #[inline]
    pub fn bit(&mut self) -> Result<bool, End> {
        if self.count == 0 {
            self.fill()?;
        }
        let bit = self.ahead >> 63 == 1;
        self.ahead <<= 1;
        self.count -= 1;
        Ok(bit)
    }

    /// The next `width` bits, up to 64, as a number.
    #[inline]
    pub fn number(&mut self, width: u32) -> Result<u64, End> {
        let mut number = 0;
        let mut left = width;
        while left > 0 {
            if self.count == 0 {
                self.fill()?;
            }
            let taken = left.min(self.count);
            number = if taken == 64 { self.ahead } else { number << taken | self.ahead >> (64 - taken) };
            self.ahead = if taken == 64 { 0 } else { self.ahead << taken };
            self.count -= taken;
            left -= taken;
        }
        Ok(number)
    }

    /// An unsigned number, seven bits a byte, the lowest first.
    pub fn uvarint(&mut self) -> Result<u64, End> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.number(8)?;
            number |= (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(End)
    }

    /// A signed number: an unsigned one with its sign in the lowest bit.
    pub fn varint(&mut self) -> Result<i64, End> {
        let number = self.uvarint()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// More bits to read from, eight bytes at a time where there are so many.
    #[inline]
    fn fill(&mut self) -> Result<(), End> {
        if let Some((bytes, rest)) = self.bytes.split_first_chunk::<8>() {
            (self.ahead, self.count, self.bytes) = (u64::from_be_bytes(*bytes), 64, rest);
            return Ok(());
        }
        let Some((byte, rest)) = self.bytes.split_first() else { return Err(End) };
        (self.ahead, self.count, self.bytes) = (u64::from(*byte) << 56, 8, rest);
        Ok(())
    }
}
