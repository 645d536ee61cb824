// SPDX-License-Identifier: Apache-2.0
//! A whole board in Verilator at the end of a pseudo-terminal: what a host program opens is a port like any other.
//!
//! ```text
//!  host ─► /dev/pts/N ─► bytes, some of them damaged ─► UART levels ─► ulx3s or board ─► SDRAM chip
//!       ◄─             ◄─                             ◄─
//! ```

use super::noise::Noise;
use super::wires::Chip;
use fpga::board::{Board, Memory, SIMULATED_CELLS, Settings, Timing, design};
use isa::Config;
use serial2::SerialPort;
use sim::SdramPins;
use std::collections::VecDeque;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use verilated::{Build, Dut, Model, Port, Reset};

/// Around the board with its pins: the far ends of the wires of the SDRAM.
const BENCH: &str = r"// ulx3s_bench: the board and the wires of its SDRAM.
module ulx3s_bench (
    input clk, input hold, input uart_rx, output uart_tx, output [7:0] led, output sdram_clk, output [2:0] command,
    output [1:0] bank, output [12:0] address, output [1:0] mask, output [15:0] data, output drive, input [15:0] chip_data
);
    wire [15:0] d;
    wire cke, csn, gpio;
    assign d = drive ? 16'bz : chip_data;
    ulx3s top (
        .clk_25mhz(clk), .ftdi_rxd(uart_tx), .ftdi_txd(uart_rx), .btn({hold, 1'b1}), .led(led), .wifi_gpio0(gpio),
        .sdram_clk(sdram_clk), .sdram_cke(cke), .sdram_csn(csn), .sdram_wen(command[0]), .sdram_rasn(command[2]),
        .sdram_casn(command[1]), .sdram_a(address), .sdram_ba(bank), .sdram_dqm(mask), .sdram_d(d)
    );
    assign data = d;
    assign drive = top.drive;
endmodule
";

/// The settings of the tests: 8 cycles per bit, so that bytes cost little simulation.
pub fn settings(board: Board) -> Settings {
    match board {
        Board::Ulx3s => Settings { clock_hz: 75_000_000, baud: 9_375_000, memory: Memory::Sdram },
        Board::Bare => Settings { clock_hz: 8_000_000, baud: 1_000_000, memory: Memory::Block { bits: 15 } },
    }
}

/// The board as a model; with its wrapper and twins of the vendor's cells if it has one.
pub fn model(board: Board, config: &Config) -> Arc<Model> {
    let design = design(board, config, &settings(board)).unwrap_or_else(|error| panic!("{error}"));
    let build = match board {
        Board::Ulx3s => {
            let cells = [("cells.v", SIMULATED_CELLS), ("ulx3s_bench.v", BENCH)];
            Build::new("ulx3s_bench").texts(design.files()).texts(cells)
        }
        Board::Bare => Build::new("board").texts(design.files()),
    };
    build.cycles_hint(1_000_000).build().unwrap_or_else(|error| panic!("{error}"))
}

/// The pins of the SDRAM on the bench.
struct SdramSide {
    chip: Chip,
    clock: Port,
    level: bool,
    pins: [Port; 6],
    chip_data: Port,
}

/// A board with power, and the serial line as bytes.
pub struct Powered {
    dut: Dut,
    sdram: Option<SdramSide>,
    half: u64,
    divider: u64,
    clk: Port,
    hold: Port,
    rx: Port,
    tx: Port,
    led: Port,
    /// Bytes to the board with what their stop bit is, and the bits of the one that is going.
    to_board: VecDeque<(u8, bool)>,
    sending: VecDeque<bool>,
    send_count: u64,
    /// Bytes from the board, and the one that is coming: cycles since its start, bits.
    from_board: VecDeque<u8>,
    receiving: Option<(u64, u16)>,
    pub cycles: u64,
}

impl Powered {
    /// The board out of its reset; power-up state by the seed.
    pub fn on(model: &Arc<Model>, board: Board, seed: u64) -> Powered {
        let dut = model.instance(Reset::Random(seed as u32)).unwrap();
        let port = |name: &str| dut.port(name).unwrap();
        let [clk, hold, rx, tx, led] = ["clk", "hold", "uart_rx", "uart_tx", "led"].map(port);
        let clock_hz = settings(board).clock_hz;
        let sdram = (board == Board::Ulx3s).then(|| SdramSide {
            chip: Chip::new(clock_hz, Timing::at(clock_hz).capture_halves, seed),
            clock: port("sdram_clk"),
            level: true,
            pins: ["command", "bank", "address", "mask", "data", "drive"].map(port),
            chip_data: port("chip_data"),
        });
        let divider = settings(board).divider() as u64;
        let mut powered = Powered {
            dut,
            sdram: None,
            half: 0,
            divider,
            clk,
            hold,
            rx,
            tx,
            led,
            to_board: VecDeque::new(),
            sending: VecDeque::new(),
            send_count: 0,
            from_board: VecDeque::new(),
            receiving: None,
            cycles: 0,
        };
        // The chip is not looked at before the board is in its reset: there the pins are anything.
        powered.reset();
        powered.sdram = sdram;
        powered.run(40);
        powered
    }

    /// Somebody presses the button.
    pub fn reset(&mut self) {
        self.dut.set(self.hold, 1);
        self.run(30);
        self.dut.set(self.hold, 0);
    }

    /// The lamps.
    pub fn lamps(&self) -> u8 {
        self.dut.get(self.led) as u8
    }

    /// Panics if a rule of the SDRAM was broken.
    pub fn check(&self) {
        if let Some(side) = &self.sdram {
            side.chip.check();
        }
    }

    pub fn run(&mut self, cycles: u64) {
        for _ in 0..cycles {
            self.half_cycle(0);
            self.line();
            self.half_cycle(1);
            self.cycles += 1;
        }
    }

    /// An edge of the board's clock. Registers that it clocks see what stood on the wires before it.
    fn half_cycle(&mut self, level: u64) {
        if let Some(side) = &self.sdram {
            let seen = side.chip.level(self.half.wrapping_sub(1));
            self.dut.set(side.chip_data, seen.into());
        }
        self.dut.set(self.clk, level);
        self.dut.eval().unwrap();
        if let Some(side) = &mut self.sdram {
            let now = self.dut.get(side.clock) == 1;
            if now && !side.level {
                let [command, bank, address, mask, data, drive] = side.pins.map(|port| self.dut.get(port));
                let data = (drive == 1).then_some(data as u16);
                let (command, bank, address) = (command as u8, bank as u8, address as u16);
                side.chip.edge(self.half, &SdramPins { command, bank, address, mask: mask as u8, data });
            }
            side.level = now;
        }
        self.half += 1;
    }

    /// A cycle of the serial line, both ways.
    fn line(&mut self) {
        if self.send_count == 0 {
            if self.sending.is_empty()
                && let Some((byte, stop)) = self.to_board.pop_front()
            {
                self.sending.push_back(false);
                self.sending.extend((0..8).map(|bit| byte >> bit & 1 == 1));
                self.sending.push_back(stop);
                if !stop {
                    self.sending.push_back(true);
                }
            }
            let level = self.sending.pop_front();
            self.send_count = if level.is_some() { self.divider } else { 1 };
            self.dut.set(self.rx, u64::from(level.unwrap_or(true)));
        }
        self.send_count -= 1;
        let level = self.dut.get(self.tx) == 1;
        self.receiving = match self.receiving {
            None if !level => Some((0, 0)),
            None => None,
            Some((count, bits)) => {
                let count = count + 1;
                let bits =
                    if count % self.divider == self.divider / 2 { bits >> 1 | u16::from(level) << 9 } else { bits };
                if count == 9 * self.divider + self.divider / 2 {
                    if bits & 0x200 != 0 {
                        self.from_board.push_back((bits >> 1) as u8);
                    }
                    None
                } else {
                    Some((count, bits))
                }
            }
        };
    }

    /// A byte to the board; with `stop` false one without its stop bit.
    pub fn send(&mut self, byte: u8, stop: bool) {
        self.to_board.push_back((byte, stop));
    }

    /// The next byte of the board.
    pub fn receive(&mut self) -> Option<u8> {
        self.from_board.pop_front()
    }
}

/// A board that works on a thread of its own until this is dropped.
pub struct Served {
    /// The port to be opened.
    pub path: PathBuf,
    stop: Arc<AtomicBool>,
    reset: Arc<AtomicBool>,
    thread: Option<JoinHandle<Noise>>,
    /// Keeps the port open, so that the board does not see the host go.
    _port: SerialPort,
}

impl Served {
    /// Puts a board at the end of a new port, with noise on the line.
    pub fn new(board: Board, config: &Config, seed: u64, noise: Noise) -> Served {
        let model = model(board, config);
        let (mut line, port) = SerialPort::pair().unwrap();
        let path = std::fs::read_link(Path::new("/proc/self/fd").join(port.as_raw_fd().to_string())).unwrap();
        let (stop, reset) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (stopped, resets) = (Arc::clone(&stop), Arc::clone(&reset));
        let thread = std::thread::spawn(move || {
            let mut noise = noise;
            let mut powered = Powered::on(&model, board, seed);
            line.set_read_timeout(Duration::ZERO).unwrap();
            let mut bytes = [0; 4096];
            while !stopped.load(Ordering::Relaxed) {
                if resets.swap(false, Ordering::Relaxed) {
                    powered.reset();
                }
                if let Ok(count) = line.read(&mut bytes) {
                    for &byte in &bytes[..count] {
                        noise.disturb(byte, &mut |byte, stop| powered.send(byte, stop));
                    }
                }
                powered.run(400);
                let mut back = vec![];
                while let Some(byte) = powered.receive() {
                    noise.disturb(byte, &mut |byte, stop| back.extend(stop.then_some(byte)));
                }
                if !back.is_empty() {
                    line.write_all(&back).unwrap();
                }
                powered.check();
            }
            noise
        });
        Served { path, stop, reset, thread: Some(thread), _port: port }
    }

    /// Presses the board's button.
    pub fn press_reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    /// Switches it off; what the noise did. Panics if the board broke a rule of its memory.
    pub fn off(mut self) -> Noise {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
