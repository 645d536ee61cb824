// SPDX-License-Identifier: Apache-2.0
//! Frames of the host's side: requests into bytes, bytes into answers, by the rules of [`isa::link`].

use crc::{CRC_32_ISO_HDLC, Crc};
use isa::link::{ANSWER, ANSWER_HEADER, CRC_BYTES, DAMAGED, ESCAPE, ESCAPE_FLIP, FLAG, Op};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A request, and what makes its answer its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request<'a> {
    pub op: Op,
    pub sequence: u8,
    pub count: usize,
    pub address: u64,
    /// Data of a write.
    pub data: &'a [u8],
}

/// What a frame from the board is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The answer to the request.
    Answer { status: u8, data: Vec<u8> },
    /// A frame was damaged, this one or the request.
    Damaged,
    /// The answer to another request, come late.
    Stale,
}

impl Request<'_> {
    /// Header of request and answer: op, sequence, count, address.
    fn header(&self) -> Vec<u8> {
        let mut bytes = vec![self.op as u8, self.sequence];
        bytes.extend((self.count as u16).to_le_bytes());
        bytes.extend(&self.address.to_le_bytes()[..5]);
        bytes
    }

    /// The whole frame, as it goes over the line.
    pub fn frame(&self) -> Vec<u8> {
        let mut body = self.header();
        body.extend(self.data);
        let crc = CRC.checksum(&body);
        let mut bytes = vec![FLAG];
        for byte in body.into_iter().chain(crc.to_le_bytes()) {
            match byte {
                FLAG | ESCAPE => bytes.extend([ESCAPE, byte ^ ESCAPE_FLIP]),
                _ => bytes.push(byte),
            }
        }
        bytes.push(FLAG);
        bytes
    }

    /// Bytes of a good answer, about.
    pub fn answer_bytes(&self) -> usize {
        ANSWER_HEADER + CRC_BYTES + 2 + if self.op.is_write() { 0 } else { self.count }
    }

    /// What the bytes between two flags are to this request.
    pub fn judge(&self, between: &[u8]) -> Heard {
        let Some(mut body) = unescaped(between) else { return Heard::Damaged };
        if body.len() < ANSWER_HEADER + CRC_BYTES {
            return Heard::Damaged;
        }
        let crc = body.split_off(body.len() - CRC_BYTES);
        if crc != CRC.checksum(&body).to_le_bytes() || body[0] == DAMAGED {
            return Heard::Damaged;
        }
        let mut header = self.header();
        header[0] |= ANSWER;
        let data = body.split_off(ANSWER_HEADER);
        let status = body[ANSWER_HEADER - 1];
        let expected = if status == 0 && !self.op.is_write() { self.count } else { 0 };
        match body.starts_with(&header) && data.len() == expected {
            true => Heard::Answer { status, data },
            false => Heard::Stale,
        }
    }
}

/// The bytes without their escapes; `None` if an escape stands before nothing.
fn unescaped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        body.push(if byte == ESCAPE { rest.next()? ^ ESCAPE_FLIP } else { byte });
    }
    Some(body)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const READ: Request = Request { op: Op::ReadMemory, sequence: 0x7e, count: 3, address: 0x12_3456_787d, data: &[] };

    /// The bytes between the flags of the answer with these data.
    fn answer(request: &Request, status: u8, data: &[u8]) -> Vec<u8> {
        let mut body = request.header();
        body[0] |= ANSWER;
        body.push(status);
        body.extend(data);
        let crc = CRC.checksum(&body);
        let framed = body.into_iter().chain(crc.to_le_bytes());
        framed
            .flat_map(|byte| if matches!(byte, FLAG | ESCAPE) { vec![ESCAPE, byte ^ ESCAPE_FLIP] } else { vec![byte] })
            .collect()
    }

    #[test]
    fn flags_stand_at_the_ends_only() {
        let frame = READ.frame();
        assert_eq!((frame[0], *frame.last().unwrap()), (FLAG, FLAG));
        let inside = &frame[1..frame.len() - 1];
        assert!(!inside.contains(&FLAG));
        let body = unescaped(inside).unwrap();
        assert_eq!(body[..9], [2, 0x7e, 3, 0, 0x7d, 0x78, 0x56, 0x34, 0x12]);
    }

    #[test]
    fn an_answer_is_taken_by_its_own_request_only() {
        let data = vec![FLAG, ESCAPE, 9];
        assert_eq!(READ.judge(&answer(&READ, 0, &data)), Heard::Answer { status: 0, data: data.clone() });
        assert_eq!(READ.judge(&answer(&READ, 3, &[])), Heard::Answer { status: 3, data: vec![] });
        for other in
            [Request { sequence: 1, ..READ }, Request { address: 1, ..READ }, Request { op: Op::ReadRegisters, ..READ }]
        {
            assert_eq!(READ.judge(&answer(&other, 0, &data)), Heard::Stale);
        }
        assert_eq!(READ.judge(&answer(&READ, 0, &data[..2])), Heard::Stale, "too few bytes");
    }

    #[test]
    fn every_damaged_bit_is_noticed() {
        let good = answer(&READ, 0, &[1, 2, 3]);
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                assert_eq!(READ.judge(&bad), Heard::Damaged, "byte {at} bit {bit}");
            }
        }
        assert_eq!(READ.judge(&[]), Heard::Damaged);
        assert_eq!(READ.judge(&[ESCAPE]), Heard::Damaged);
    }
}
