// SPDX-License-Identifier: Apache-2.0
//! Serial line, CRC and frames, each against plain Rust and against its Verilog.

use crc::{CRC_32_ISO_HDLC, Crc};
use fpga::board::{Crc32, Deframe, Enframe, UartRx, UartTx};
use isa::link::{ESCAPE, ESCAPE_FLIP, FLAG};
use rand::{Rng, RngExt};
use tb::{Cosim, seed};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The levels of a byte on the line, one per bit.
fn bits(byte: u8, stop: bool) -> Vec<bool> {
    let data = (0..8).map(|bit| byte >> bit & 1 == 1);
    std::iter::once(false).chain(data).chain([stop]).collect()
}

/// Feeds levels, each for as many cycles as it says, and gives what came: a byte, or `None` for a broken one.
fn receive(both: &mut Cosim<UartRx>, line: &[(bool, usize)]) -> Vec<Option<u8>> {
    let mut came = vec![];
    for &(level, cycles) in line {
        for _ in 0..cycles {
            both.twin.uut.rx.next = level;
            both.edge();
            let uut = &both.twin.uut;
            if uut.valid.val() {
                came.push(Some(uut.data.val().index() as u8));
            }
            if uut.broken.val() {
                came.push(None);
            }
        }
    }
    came
}

fn receiver(divider: usize) -> Cosim<UartRx> {
    let mut both = Cosim::new(UartRx::new(divider), "uart_rx", Some(("clk", |uut, clk| uut.clk.next = clk)));
    both.twin.uut.rx.next = true;
    both.twin.uut.rst.next = true;
    both.edge();
    both.edge();
    both.edge();
    both.twin.uut.rst.next = false;
    both
}

#[test]
fn uart_rx_takes_bytes_of_a_clock_that_is_a_little_off() {
    for (divider, most) in [(8usize, 0.02), (16, 0.03), (25, 0.04), (50, 0.04)] {
        let mut both = receiver(divider);
        let mut random = seed(divider as u64);
        for off in [-most, 0.0, most] {
            let period = divider as f64 * (1.0 + off);
            let sent: Vec<u8> = (0..30).map(|_| random.rng.random()).collect();
            let levels: Vec<bool> = sent.iter().flat_map(|&byte| bits(byte, true)).collect();
            // A hair late at most, as the edges of another clock fall between ours.
            let edge = |at: usize| (at as f64 * period) as usize;
            let mut line = vec![(true, 3 * divider)];
            line.extend(levels.iter().enumerate().map(|(at, &level)| (level, edge(at + 1) - edge(at))));
            line.push((true, 3 * divider));
            let expected: Vec<Option<u8>> = sent.into_iter().map(Some).collect();
            assert_eq!(receive(&mut both, &line), expected, "divider {divider}, {off}");
        }
    }
}

#[test]
fn uart_rx_outvotes_a_spike_and_tells_a_missing_stop_bit() {
    let divider = 24;
    let mut both = receiver(divider);
    let mut random = seed(1);
    for _ in 0..50 {
        let byte: u8 = random.rng.random();
        let mut line = vec![(true, divider)];
        let (stop, others) = (true, bits(byte, true));
        for &level in &others[..9] {
            // One look of three is wrong: a spike of a cycle anywhere in the middle half of the bit.
            let at = random.rng.random_range(divider / 4..3 * divider / 4);
            line.extend([(level, at), (!level, 1), (level, divider - at - 1)]);
        }
        line.push((stop, 2 * divider));
        assert_eq!(receive(&mut both, &line), [Some(byte)]);
    }
    // A spike is no start bit.
    assert_eq!(receive(&mut both, &[(false, 2), (true, 20 * divider)]), []);
    let broken: Vec<(bool, usize)> =
        bits(0xa5, false).into_iter().map(|level| (level, divider)).chain([(true, 20 * divider)]).collect();
    let came = receive(&mut both, &broken);
    assert_eq!(came.first(), Some(&None), "{came:?}");
    let good: Vec<(bool, usize)> =
        bits(0x5a, true).into_iter().map(|level| (level, divider)).chain([(true, divider)]).collect();
    assert_eq!(receive(&mut both, &good), [Some(0x5a)], "the next byte is right again");
}

#[test]
fn uart_tx_sends_ten_bits_per_byte_without_a_gap() {
    let divider = 9;
    let mut both = Cosim::new(UartTx::new(divider), "uart_tx", Some(("clk", |uut, clk| uut.clk.next = clk)));
    both.twin.uut.rst.next = true;
    both.edge();
    both.twin.uut.rst.next = false;
    let sent: Vec<u8> = (0..20u8).map(|byte| byte.wrapping_mul(37)).collect();
    let mut queue = sent.clone();
    queue.reverse();
    let mut levels = vec![];
    for _ in 0..20 * 11 * divider {
        let next = queue.last().copied();
        both.twin.uut.in_valid.next = next.is_some();
        both.twin.uut.in_data.next = u64::from(next.unwrap_or(0)).into();
        both.compare();
        let taken = next.is_some() && both.twin.uut.in_ready.val();
        both.edge();
        if taken {
            queue.pop();
        }
        levels.push(both.twin.uut.tx.val());
    }
    let start = levels.iter().position(|&level| !level).unwrap();
    for (at, &byte) in sent.iter().enumerate() {
        // Ten bits and the cycle in which the next byte is taken.
        let from = start + at * (10 * divider + 1);
        for (bit, level) in bits(byte, true).into_iter().enumerate() {
            let bit = &levels[from + bit * divider..from + (bit + 1) * divider];
            assert!(bit.iter().all(|&seen| seen == level), "byte {at}");
        }
    }
}

#[test]
fn crc32_is_that_of_the_crate() {
    let mut both = Cosim::new(Crc32::default(), "crc32", Some(("clk", |uut, clk| uut.clk.next = clk)));
    let mut random = seed(2);
    for length in [0usize, 1, 9, 40] {
        let mut data = vec![0u8; length];
        random.rng.fill_bytes(&mut data);
        let crc = CRC.checksum(&data);
        both.twin.uut.clear.next = true;
        both.edge();
        both.twin.uut.clear.next = false;
        for (at, byte) in data.iter().copied().chain(crc.to_le_bytes()).enumerate() {
            if at == length {
                assert_eq!(both.twin.uut.value.val().index() as u32, crc);
                assert!(!both.twin.uut.good.val());
            }
            both.twin.uut.in_valid.next = true;
            both.twin.uut.in_data.next = u64::from(byte).into();
            both.edge();
            both.twin.uut.in_valid.next = false;
            for _ in 0..8 {
                assert!(!both.twin.uut.idle.val());
                both.edge();
            }
            assert!(both.twin.uut.idle.val());
        }
        assert!(both.twin.uut.good.val());
    }
}

/// A frame as `docs/board.md` has it.
fn frame(body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![FLAG];
    for byte in body.iter().copied().chain(CRC.checksum(body).to_le_bytes()) {
        match byte {
            FLAG | ESCAPE => bytes.extend([ESCAPE, byte ^ ESCAPE_FLIP]),
            _ => bytes.push(byte),
        }
    }
    bytes.push(FLAG);
    bytes
}

/// Random bytes of which many have to be escaped.
fn body(random: &mut impl Rng, length: usize) -> Vec<u8> {
    (0..length)
        .map(|_| match random.random_range(0..4) {
            0 => FLAG,
            1 => ESCAPE,
            _ => random.random(),
        })
        .collect()
}

/// What `deframe` makes of bytes: the frames, with what it says of each.
fn deframed(both: &mut Cosim<Deframe>, bytes: &[u8], listen: bool) -> Vec<(Vec<u8>, bool)> {
    let (mut frames, mut open) = (vec![], vec![]);
    both.twin.uut.listen.next = listen;
    for &byte in bytes {
        both.twin.uut.rx_valid.next = true;
        both.twin.uut.rx_data.next = u64::from(byte).into();
        both.compare();
        let uut = &both.twin.uut;
        if uut.octet_valid.val() {
            open.push(uut.octet.val().index() as u8);
        }
        if uut.frame_end.val() {
            frames.push((std::mem::take(&mut open), uut.good.val()));
        }
        both.edge();
        both.twin.uut.rx_valid.next = false;
        for _ in 0..8 {
            both.edge();
        }
    }
    frames
}

fn deframer() -> Cosim<Deframe> {
    let mut both = Cosim::new(Deframe::default(), "deframe", Some(("clk", |uut, clk| uut.clk.next = clk)));
    both.twin.uut.rst.next = true;
    both.edge();
    both.twin.uut.rst.next = false;
    both
}

#[test]
fn deframe_gives_what_was_framed_and_nothing_that_was_damaged() {
    let mut both = deframer();
    let mut random = seed(3);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..150 {
        let length = random.rng.random_range(1..20);
        let body = body(&mut random.rng, length);
        let mut whole = body.clone();
        whole.extend(CRC.checksum(&body).to_le_bytes());
        let mut bytes = frame(&body);
        assert_eq!(deframed(&mut both, &bytes, true), [(whole.clone(), true)]);
        good += 1;
        let at = random.rng.random_range(1..bytes.len() - 1);
        match random.rng.random_range(0..3) {
            0 => bytes[at] ^= 1 << random.rng.random_range(0..8),
            1 => drop(bytes.remove(at)),
            _ => bytes.insert(at, random.rng.random()),
        }
        for (came, right) in deframed(&mut both, &bytes, true) {
            assert!(!right || came == whole, "damaged and not noticed: {came:x?} of {whole:x?}");
            bad += usize::from(!right);
        }
        // A frame that ends without a flag would be joined to the next one, and that noticed; here the line is clean again.
        deframed(&mut both, &[FLAG], true);
    }
    assert!(good == 150 && bad > 120, "{good} good, {bad} damaged");
}

#[test]
fn deframe_drops_what_comes_while_nobody_listens() {
    let mut both = deframer();
    let bytes = frame(&[1, 2, 3]);
    assert_eq!(deframed(&mut both, &bytes, false), []);
    let (before, after) = bytes.split_at(4);
    assert_eq!(deframed(&mut both, before, false), []);
    assert_eq!(deframed(&mut both, after, true), [], "its end alone is no frame");
    assert_eq!(deframed(&mut both, &bytes, true).len(), 1);
    both.twin.uut.rx_broken.next = true;
    both.edge();
    both.twin.uut.rx_broken.next = false;
    let frames = deframed(&mut both, &bytes[1..], true);
    assert!(frames.iter().all(|(_, good)| !good) && !frames.is_empty(), "a broken byte damages its frame");
}

#[test]
fn enframe_makes_the_frames_of_the_page() {
    let mut both = Cosim::new(Enframe::default(), "enframe", Some(("clk", |uut, clk| uut.clk.next = clk)));
    both.twin.uut.rst.next = true;
    both.edge();
    both.twin.uut.rst.next = false;
    let mut random = seed(4);
    for _ in 0..40 {
        let length = random.rng.random_range(1..20);
        let body = body(&mut random.rng, length);
        let (mut at, mut came, mut held) = (0, vec![], None);
        while came.len() < frame(&body).len() {
            both.twin.uut.in_valid.next = at < body.len();
            both.twin.uut.in_data.next = u64::from(*body.get(at).unwrap_or(&0)).into();
            both.twin.uut.in_last.next = at + 1 == body.len();
            let ready = random.rng.random_range(0..6) == 0;
            both.twin.uut.tx_ready.next = ready;
            both.compare();
            let uut = &both.twin.uut;
            let shown = uut.tx_valid.val().then(|| uut.tx_data.val().index() as u8);
            assert!(held.is_none() || held == shown, "valid stays and its byte holds");
            held = if ready { None } else { shown };
            if ready {
                came.extend(shown);
            }
            at += usize::from(uut.in_ready.val());
            both.edge();
        }
        assert_eq!(came, frame(&body));
        assert_eq!(at, body.len());
    }
}
