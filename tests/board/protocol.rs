// SPDX-License-Identifier: Apache-2.0
//! The link's side of the protocol, frame by frame: what is done, what is refused, what is never done twice; and the lamps.

use super::bench::{Powered, model};
use crc::{CRC_32_ISO_HDLC, Crc};
use fpga::board::Board;
use isa::Config;
use isa::csr::{context, context_address, device};
use isa::link::{
    ANSWER, ANSWER_HEADER, CRC_BYTES, DAMAGED, ESCAPE, ESCAPE_FLIP, FLAG, HELLO_BYTES, LinkStatus, Op, VERSION,
};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Cycles in which the longest answer comes.
const WAIT: u64 = 200_000;

fn powered() -> Powered {
    let mut board = Powered::on(&model(Board::Bare, &Config::tiny()), Board::Bare, 1);
    board.run(100);
    board
}

fn frame(op: u8, sequence: u8, count: u16, address: u64, data: &[u8]) -> Vec<u8> {
    let mut body = vec![op, sequence];
    body.extend(count.to_le_bytes());
    body.extend(&address.to_le_bytes()[..5]);
    body.extend(data);
    let crc = CRC.checksum(&body);
    let framed = body.into_iter().chain(crc.to_le_bytes());
    let inside = framed.flat_map(|byte| match byte {
        FLAG | ESCAPE => vec![ESCAPE, byte ^ ESCAPE_FLIP],
        _ => vec![byte],
    });
    [FLAG].into_iter().chain(inside).chain([FLAG]).collect()
}

/// Sends bytes and gives the frame that comes back, without flags, escapes and CRC; nothing if none comes.
fn send(board: &mut Powered, bytes: &[u8]) -> Option<Vec<u8>> {
    for &byte in bytes {
        board.send(byte, true);
    }
    let (mut body, mut escaped) = (vec![], false);
    for _ in 0..WAIT / 50 {
        board.run(50);
        while let Some(byte) = board.receive() {
            match byte {
                FLAG if body.is_empty() => {}
                FLAG => {
                    let crc = body.split_off(body.len() - CRC_BYTES);
                    assert_eq!(crc, CRC.checksum(&body).to_le_bytes());
                    return Some(body);
                }
                ESCAPE => escaped = true,
                _ => {
                    body.push(if escaped { byte ^ ESCAPE_FLIP } else { byte });
                    escaped = false;
                }
            }
        }
    }
    None
}

/// Status and data of the answer, whose header has to be that of the request.
fn ask(board: &mut Powered, op: u8, sequence: u8, count: u16, address: u64, data: &[u8]) -> (u8, Vec<u8>) {
    let body = send(board, &frame(op, sequence, count, address, data)).expect("an answer");
    let mut header = vec![op | ANSWER, sequence];
    header.extend(count.to_le_bytes());
    header.extend(&address.to_le_bytes()[..5]);
    assert_eq!(body[..ANSWER_HEADER - 1], header);
    (body[ANSWER_HEADER - 1], body[ANSWER_HEADER..].to_vec())
}

fn greet(board: &mut Powered, sequence: u8) {
    let (status, data) = ask(board, Op::Hello as u8, sequence, HELLO_BYTES as u16, 0x7d_7e00_00ff, &[]);
    assert_eq!((status, data), (0, vec![VERSION, 15, 0, 0, 0x40, 0x1f, 0, 0]), "32 KiB, 8,000 kHz");
}

const READ: u8 = Op::ReadMemory as u8;
const WRITE: u8 = Op::WriteMemory as u8;
const READ_REGISTERS: u8 = Op::ReadRegisters as u8;
const WRITE_REGISTERS: u8 = Op::WriteRegisters as u8;

#[test]
fn before_a_hello_nothing_is_done() {
    let mut board = powered();
    let stranger = (LinkStatus::Stranger as u8, vec![]);
    assert_eq!(ask(&mut board, WRITE, 1, 2, 0, &[1, 2]), stranger);
    assert_eq!(ask(&mut board, READ, 2, 2, 0, &[]), stranger);
    greet(&mut board, 3);
    assert_eq!(ask(&mut board, WRITE, 4, 2, 0, &[1, 2]).0, 0);
    assert_eq!(ask(&mut board, READ, 5, 2, 0, &[]), (0, vec![1, 2]));
    board.reset();
    board.run(100);
    assert_eq!(ask(&mut board, READ, 6, 2, 0, &[]), stranger);
}

#[test]
fn a_write_with_the_number_of_the_one_before_is_answered_and_not_done() {
    let mut board = powered();
    greet(&mut board, 0);
    let base = u64::from(context_address(0, context::BASE_LO));
    assert_eq!(ask(&mut board, WRITE_REGISTERS, 1, 4, base, &[1, 0, 0, 0]).0, 0);
    assert_eq!(ask(&mut board, WRITE_REGISTERS, 1, 4, base, &[2, 0, 0, 0]).0, 0);
    assert_eq!(ask(&mut board, READ_REGISTERS, 2, 4, base, &[]), (0, vec![1, 0, 0, 0]));
    // The answer is that of the first time.
    let read_only = u64::from(device::MAGIC);
    for _ in 0..2 {
        assert_eq!(ask(&mut board, WRITE_REGISTERS, 3, 4, read_only, &[0; 4]).0, LinkStatus::SlaveError as u8);
    }
    // A read in between is a request, too: its number is not free for a write that is meant to be done.
    assert_eq!(ask(&mut board, READ, 4, 1, 0, &[]).0, 0);
    assert_eq!(ask(&mut board, WRITE_REGISTERS, 1, 4, base, &[3, 0, 0, 0]).0, 0);
    assert_eq!(ask(&mut board, READ_REGISTERS, 5, 4, base, &[]), (0, vec![3, 0, 0, 0]));
    // A new session forgets the number.
    greet(&mut board, 9);
    assert_eq!(ask(&mut board, WRITE_REGISTERS, 5, 4, base, &[4, 0, 0, 0]).0, 0);
    assert_eq!(ask(&mut board, READ_REGISTERS, 6, 4, base, &[]), (0, vec![4, 0, 0, 0]));
}

#[test]
fn requests_that_break_a_rule_are_refused_and_do_nothing() {
    let mut board = powered();
    greet(&mut board, 0);
    assert_eq!(ask(&mut board, WRITE, 1, 4, 0, &[9; 4]).0, 0);
    let refused = (LinkStatus::Refused as u8, vec![]);
    for (at, (op, count, address, data)) in [
        (WRITE, 0, 0, vec![]),
        (WRITE, 3, 0, vec![1; 4]),
        (WRITE, 5, 0, vec![1; 4]),
        (WRITE, 2, 1023, vec![1; 2]),
        (WRITE, 1025, 0, vec![1; 1025]),
        (WRITE, 0x8004, 0, vec![1; 4]),
        (READ, 0, 0, vec![]),
        (READ, 1025, 0, vec![]),
        (READ, 4, 0, vec![1; 4]),
        (READ_REGISTERS, 4, 2, vec![]),
        (READ_REGISTERS, 6, 0, vec![]),
        (READ_REGISTERS, 4, 0x1_0000, vec![]),
        (WRITE_REGISTERS, 4, 0x10_0000_1080, vec![1; 4]),
        (Op::Hello as u8, 7, 0, vec![]),
        (5, 4, 0, vec![]),
        (0x22, 4, 0, vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let said = ask(&mut board, op, 10 + at as u8, count, address, &data);
        assert_eq!(said, refused, "op {op}, {count} bytes at {address:#x}");
    }
    assert_eq!(ask(&mut board, READ, 100, 4, 0, &[]), (0, vec![9; 4]));
    // A whole block, and the last byte.
    let block: Vec<u8> = (0..1024).map(|at| (at * 7 + at / 256) as u8).collect();
    assert_eq!(ask(&mut board, WRITE, 101, 1024, 1024, &block).0, 0);
    assert_eq!(ask(&mut board, READ, 102, 1024, 1024, &[]), (0, block.clone()));
    assert_eq!(ask(&mut board, READ, 103, 7, 1033, &[]), (0, block[9..16].to_vec()));
    // Where nothing is, memory and registers say so.
    assert_eq!(ask(&mut board, READ, 104, 1, 1 << 15, &[]), (LinkStatus::DecodeError as u8, vec![]));
    assert_eq!(ask(&mut board, WRITE, 105, 1, 1 << 39, &[1]), (LinkStatus::DecodeError as u8, vec![]));
    assert_eq!(ask(&mut board, READ_REGISTERS, 106, 4, 0x5c, &[]), (LinkStatus::SlaveError as u8, vec![]));
    assert_eq!(ask(&mut board, READ_REGISTERS, 107, 8, 0x58, &[]), (LinkStatus::SlaveError as u8, vec![]));
    assert_eq!(ask(&mut board, READ_REGISTERS, 108, 8, 0, &[]).1, [b"QUAD".as_slice(), &[0, 0, 1, 0]].concat());
}

#[test]
fn damaged_frames_are_told_at_once_and_do_nothing() {
    let mut board = powered();
    greet(&mut board, 0);
    assert_eq!(ask(&mut board, WRITE, 1, 4, 8, &[5; 4]).0, 0);
    let good = frame(WRITE, 2, 4, 8, &[6, FLAG, ESCAPE, 6]);
    let mut damaged = 0;
    for at in 1..good.len() - 1 {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        let said = send(&mut board, &bad).map(|body| body[0]);
        assert_eq!(said, Some(DAMAGED), "byte {at}");
        damaged += 1;
    }
    assert!(damaged > 15);
    assert_eq!(send(&mut board, &[FLAG, 1, FLAG]).map(|body| body[0]), Some(DAMAGED), "too short");
    assert_eq!(send(&mut board, &[FLAG, FLAG, FLAG]), None, "nothing between flags is nothing");
    assert_eq!(ask(&mut board, READ, 3, 4, 8, &[]), (0, vec![5; 4]));
    // A byte without its stop bit damages its frame.
    let (last, before) = good.split_last().unwrap();
    for &byte in before {
        board.send(byte, true);
    }
    board.send(0, false);
    assert_eq!(send(&mut board, &[*last]).map(|body| body[0]), Some(DAMAGED));
    assert_eq!(ask(&mut board, READ, 4, 4, 8, &[]), (0, vec![5; 4]));
    assert_eq!(send(&mut board, &good).map(|body| body[9]), Some(0), "and the frame itself is good");
    assert_eq!(ask(&mut board, READ, 5, 4, 8, &[]), (0, vec![6, FLAG, ESCAPE, 6]));
}

#[test]
fn lamps_tell_what_the_board_does() {
    let mut board = powered();
    let lamp = |board: &Powered, at: u32| board.lamps() >> at & 1 == 1;
    let lamps = |board: &Powered| [1, 2, 3, 4, 5, 6, 7].map(|at| lamp(board, at));
    assert_eq!(lamps(&board), [false, false, false, false, false, true, false], "memory ready, nothing else");
    greet(&mut board, 0);
    assert!(lamp(&board, 4) && lamp(&board, 7), "link and host");
    send(&mut board, &[FLAG, 1, FLAG]);
    assert!(lamp(&board, 5), "noise");
    // A program whose code no window allows: a fault. What 0 is to the program's length is one, too.
    let start = u64::from(context_address(0, context::START));
    assert_eq!(ask(&mut board, WRITE_REGISTERS, 1, 4, start, &[1, 0, 0, 0]).0, 0);
    board.run(100);
    assert_eq!(lamps(&board)[..3], [false, false, true], "fault");
    let soft_reset = u64::from(context_address(0, context::SOFT_RESET));
    assert_eq!(ask(&mut board, WRITE_REGISTERS, 2, 4, soft_reset, &[1, 0, 0, 0]).0, 0);
    board.run(100);
    assert_eq!(lamps(&board)[..3], [false, false, false]);
    board.reset();
    board.run(100);
    assert_eq!(lamps(&board), [false, false, false, false, false, true, false]);
}
