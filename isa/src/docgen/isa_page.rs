// SPDX-License-Identifier: Apache-2.0
//! `docs/isa.md`.

use super::{REGENERATE, bits, table};
use crate::asm;
use crate::config::Config;
use crate::dtype::Dtype;
use crate::fault::Cause;
use crate::opcode::{Opcode, RESERVED_OPCODES};
use crate::pipe::Pipe;
use crate::state::STATE_REGISTERS;

const INTRODUCTION: &str = "\
An instruction is 32 bytes: eight little-endian words `w0` to `w7`. A program is a row of instructions that the sequencer S \
takes in order and hands to the pipes; every pipe works in order, and the pipes run side by side. The same program gives the \
same bits on every core whose buffers it fits.

Every bit that no field names is reserved and must be 0. An encoding that this page does not define never runs: it raises \
the fault `illegal_opcode` or `illegal_field`. Zeroed memory is not an instruction.

```text
w0  [7:0] opcode  [14:8] wait0  [21:15] wait1  [28:22] wait2  [31:29] 0
w1  [7:0] set0    [15:8] set1   [23:16] set2                  [31:24] 0
w2 .. w7  fields of the opcode
wait slot  [0] valid  [3:1] source pipe       [6:4] id
set slot   [0] valid  [3:1] destination pipe  [6:4] id  [7] early
```
";

const FLAGS: &str = "\
A flag is a counter from 0 to 15, named by (source pipe, destination pipe, id 0 to 7). All are 0 at start.

* A wait takes one from the counter (source, this pipe, id) before the instruction starts; while one of its counters is 0, \
the instruction and all behind it in its pipe stand still. All waits are taken together.
* A set adds one to the counter (this pipe, destination, id) when the instruction has finished: everything is read, and \
everything written to a buffer is there. Data for GM has left the buffer, but may not have arrived.
* Slots fill from 0 upwards: a valid slot above an empty one, an empty slot that is not all 0, a pipe without flags (S, V, \
7), the own pipe, the same flag twice in one list, and any slot on an instruction of S are `illegal_field`.
* A set that would raise a counter above 15 is the fault `flag_overflow`; a counter that is not 0 at END is `flag_left`.

**Order.** Within one pipe, instructions touch buffers, full bits and GM as if one came after the other. Between pipes only \
flags and barriers order anything. GM writes are seen by other pipes only after a `barrier`, and by the host after END.

**Chaining.** L0A, L0B and L0C have one full bit per block (M0 x K0, N0 x K0, M0 x N0 elements). Every block that MTE1 or M \
writes sets its bit; M and FIX wait for the bit of every block that they read (an accumulating `m.mmad` reads its own C \
without looking). Start and soft reset clear all bits. A set marked `early`, allowed from MTE1 to M and from M to FIX only, \
makes its instruction first clear the full bits of its whole target tile, behind all writes of earlier instructions of its \
pipe, then raise its early flags, then work. So the consumer may start at once and follows block by block. An instruction \
without early set clears nothing. Reading a block that nobody fills is the fault `no_progress`.

One flag must not have both early and normal sets: their order is not defined.
";

const LAYOUTS: &str = "\
A matrix of bytes (r, c) lies in L1, UB or GM in one of two layouts:

| layout | byte (r, c) at | needs |
|---|---|---|
| `rows` | address + r stride + c | nothing |
| `nz` | address + (c / 32) stride + 32 r + c % 32 | address (GM: the offset) and stride multiples of 32 |

`nz` is made of panels 32 bytes wide; 16 rows of a panel are a *fractal* of 512 bytes. MTE1 reads `nz` with address and \
panel stride multiples of 512.

| buffer | unit of addresses | a tile occupies |
|---|---|---|
| L1, UB | byte | what its layout says |
| L0A, L0B | fractal of 16 rows x 32 bytes | rows x k: fractal + (r / 16) ceil(k_bytes / 32) + k_byte / 32 |
| L0C | fractal of 16 x 16 int32 | m x n: fractal + (i / 16) ceil(n / 16) + j / 16 |
| FB | channel | channel + i |

The order of bytes inside an L0 fractal cannot be observed. Elements in L0A and L0B are signed 9-bit numbers: value less \
zero point. Bounds count real extents: the last byte, fractal or channel actually touched. What an MTE1 load leaves of its \
last blocks beyond rows x k is 0; what it leaves of its last fractals is undefined. `m.mmad` does not mask: its k must be the \
k that its tiles were loaded with, its m and n at most their rows. A destination whose rows overlap has no defined content. The \
results of `fix.store` may lie in the place of its second tensor, row on row; any other overlap of the two has no defined content.
";

const NUMBERS: &str = "\
Requantisation in mode `onnx`: acc = wrap32(C + bias); x = fp32(acc), round to nearest even; y = x * scale in fp32, round to \
nearest even, subnormal results kept; r = y rounded half to even, saturated to int32; q = r + zero_point saturated to the \
range of dtype_out; second tensor q2: `max` q = max(q, q2), `add` q = fma(q, ratio, fma(q2, second_ratio, offset)) in fp32, \
rounded half to even and saturated, with sum_zero_point in relu; relu: q = max(q, zero_point); clamp: q = min(max(q, clamp_low), \
clamp_high). With dtype_out int32: acc, relu against 0, clamp; no scale and no zero point. With dtype_out fp32 (mode `onnx` \
only): y, with relu not below +0; no zero point and no clamp.

In the modes `tflite` and `gemmlowp` the scale is an integer m, 0 or 2^30..2^31-1, and has a shift s, -31..30: r is \
acc m 2^(s-31), rounded half up to an integer (`tflite`); `gemmlowp` with s < 0 rounds acc m 2^-31 half up, then that times 2^s \
half away from zero. The rest is as above.
";

const FAULTS: &str = "\
The first fault wins. The core stops issuing, lets outstanding AXI transactions finish, keeps cause, pipe, program counter \
and address, raises the interrupt, and works again after a soft reset. Opcode, fields and support are checked at decode, and \
the record then names pipe S. State registers are checked when the instruction reaches the head of its pipe, before it does \
anything. Bounds, windows and what stands in FB are checked no later than the access that they forbid: that access never \
happens and the record has its address, but what the instruction did before it stays done. After a fault the contents of \
destinations of unfinished instructions are undefined; nothing else is written.

**Address of the record.** In a buffer: the first unit outside, in the order of the action. In GM the unit is the *burst*. Bytes that \
are transferred as a run are cut into bursts at multiples of min(4096, 256 bus) bytes. A run is a row of an `mte2.load` or \
`mte3.store`; all rows of one matrix, if they touch (gm_stride = len_bytes), are whole bus words and have less than 2^24 bytes in all; 16 bus words of \
a row of a `fix.store` (layout nz: of those, what lies in one panel). A fetch is cut at multiples of min(256, fetch_bytes / 2) \
bytes. Each burst, without what else its first and last bus word hold, must lie in one window with the right.

| cause | address |
|---|---|
| `window_read`, `window_write`, `window_execute` | the first byte of the burst |
| `bus_read_error` | the first byte asked for in the bus word that came with the error |
| `bus_write_error` | the first byte of the burst that was answered with the error |
| `address_overflow` | the first byte of the run, modulo 2^40 |

Runs are checked in their order, of each first the GM side, then the buffer, and last the answers to what it wrote. The fetch runs ahead of END by up to fetch_bytes: all of program_length must be executable and be answered without error.
";

const CYCLES: &str = "\
Cycles are those of a pipe that waits for nobody, with M0, K0, N0, fix_lanes and bus (bytes) of the core, and latency that \
of the memory. Instructions of one pipe follow each other without a gap where their operands are there.
";

const TEXT: &str = "\
The assembler reads files `.qasm`: one instruction per line, as shown with each instruction below, operands in any order. \
`wait PIPE.ID` takes a flag that PIPE sets, `set PIPE.ID` raises one that PIPE waits for, `early` may follow a set. Numbers \
are `12`, `-3`, `0x1f`, `0b101`, `4K` (4000), `4Ki` (4096), `1Mi`, `1_000`, and `+`, `-`, `*` and parentheses join them. `.equ NAME \
VALUE` names a constant. `;`, `#` and `//` start a comment; commas count as blanks. Operands in square brackets may be left \
out and are then 0 (rows, onnx, off).

```text
.equ K 128
mte2.load  dst=l1[0] gm=b0[0x100] rows=64 len_bytes=K gm_stride=4*K dst_stride=2Ki layout=nz  set mte1.0
set        mte1.zero_point_a 3
mte1.loada dst=l0a[0] src=l1[0] panel_stride=2Ki rows=64 k=K dtype=u8  wait mte2.0  set m.0 early
```
";

/// The text of `docs/isa.md`.
pub fn isa_markdown() -> String {
    let mut text = format!(
        "<!-- SPDX-License-Identifier: Apache-2.0 -->\n<!-- Made from the tables of the crate `isa`: {REGENERATE} -->\n\n\
         # Instruction set\n\n{INTRODUCTION}\n"
    );
    text.push_str(&overview());
    text.push_str(&format!("\n## Flags, order and chaining\n\n{FLAGS}\n## Layouts and buffers\n\n{LAYOUTS}\n"));
    text.push_str(&state_registers());
    text.push_str(&dtypes());
    text.push_str(&format!("\n## Requantisation\n\n{NUMBERS}\n## Faults\n\n{FAULTS}\n"));
    text.push_str(&causes());
    text.push_str(&format!("\n## Text form\n\n{TEXT}"));
    text.push_str(&format!("\n## Instructions\n\n{CYCLES}\n"));
    for opcode in Opcode::ALL {
        text.push_str(&instruction(opcode));
    }
    text.push_str(&reserved());
    text.push_str(&cores());
    text
}

fn overview() -> String {
    let rows = Opcode::ALL.into_iter().map(|opcode| {
        let info = opcode.info();
        let anchor = info.mnemonic.replace('.', "");
        vec![
            format!("{:#04x}", opcode.code()),
            format!("[`{}`](#{anchor})", info.mnemonic),
            info.pipe.to_string(),
            info.doc.to_string(),
        ]
    });
    let pipes = Pipe::ALL.map(|pipe| format!("{} `{pipe}`", pipe.code())).join(", ");
    format!("Pipe codes: {pipes}. V is reserved.\n\n{}", table(&["opcode", "mnemonic", "pipe", "what"], rows))
}

fn state_registers() -> String {
    let rows = STATE_REGISTERS.iter().map(|register| {
        let reset = register.reset.map_or("none".to_string(), |value| value.to_string());
        let width = format!("{}{}", if register.signed { "s" } else { "u" }, register.width);
        vec![
            register.pipe.to_string(),
            register.index.to_string(),
            format!("`{}`", register.name),
            width,
            reset,
            register.doc.to_string(),
        ]
    });
    format!(
        "## State registers\n\nWritten by `set` in the order of the pipe's queue; reset by the start doorbell. Using one \
         without reset value that was not set is the fault `unset_register`.\n\n{}",
        table(&["pipe", "index", "name", "width", "reset", "meaning"], rows)
    )
}

fn dtypes() -> String {
    let core = Config::lite();
    let rows = Dtype::ALL.into_iter().map(|dtype| {
        let supported = if dtype.supported(&core) { "yes" } else { "no" };
        vec![dtype.code().to_string(), format!("`{dtype}`"), dtype.bits().to_string(), supported.to_string()]
    });
    format!(
        "\n## Number formats\n\nCodes 10 to 15 are `illegal_field`; so are `int32` and `fp32` as an input of MTE1 or M; \
         FIX has `s8`, `u8`, `int32` and `fp32` results. A \
         dtype that the core lacks is `unsupported`. 4-bit elements lie low nibble first.\n\n{}",
        table(&["code", "dtype", "bits", "in this version"], rows)
    )
}

fn causes() -> String {
    let rows = Cause::ALL
        .into_iter()
        .map(|cause| vec![cause.code().to_string(), format!("`{}`", cause.name()), cause.sentence().to_string()]);
    table(&["code", "cause", "meaning"], rows)
}

fn instruction(opcode: Opcode) -> String {
    let info = opcode.info();
    let mut text =
        format!("### {}\n\n{} Opcode {:#04x}, pipe {}.\n\n", info.mnemonic, info.doc, opcode.code(), info.pipe);
    let syntax = match opcode {
        Opcode::Set => "set PIPE.REGISTER VALUE".to_string(),
        _ => {
            let shown = asm::operands(opcode)
                .iter()
                .map(|operand| if operand.optional { format!("[{}]", operand.pattern()) } else { operand.pattern() });
            std::iter::once(info.mnemonic.to_string()).chain(shown).collect::<Vec<_>>().join(" ")
        }
    };
    let slots = match (info.has_slots, info.pipe) {
        (false, _) => "",
        (true, Pipe::Mte1 | Pipe::M) => " [wait PIPE.ID ...] [set PIPE.ID [early] ...]",
        (true, _) => " [wait PIPE.ID ...] [set PIPE.ID ...]",
    };
    text.push_str(&format!("```text\n{syntax}{slots}\n```\n\n"));
    if !info.fields.is_empty() {
        let rows = info.fields.iter().map(|field| {
            let place = format!("w{} {}", field.word, bits(field.lo, field.width));
            vec![place, format!("`{}`", field.name), field.legal.to_string(), field.doc.to_string()]
        });
        text.push_str(&table(&["bits", "field", "legal", "meaning"], rows));
        text.push('\n');
    }
    text.push_str(&format!("**Action:** `{}`\n\n", info.action));
    for rule in info.rules {
        text.push_str(&format!(
            "* `{}` = {}: `{}` must be {}; {}.\n",
            rule.field, rule.equals, rule.then, rule.legal, rule.doc
        ));
    }
    if !info.rules.is_empty() {
        text.push('\n');
    }
    if !info.faults.is_empty() {
        text.push_str("**Errors:**\n\n");
        for (cause, condition) in info.faults {
            text.push_str(&format!("* `{}`: {condition}.\n", cause.name()));
        }
        text.push('\n');
    }
    text.push_str(&format!("**Cycles:** {}.\n\n", info.cycles));
    text
}

fn reserved() -> String {
    let rows = RESERVED_OPCODES
        .into_iter()
        .map(|(code, name, what)| vec![format!("{code:#04x}"), format!("`{name}`"), what.to_string()]);
    format!(
        "## Reserved\n\nThese opcodes are kept for later versions and are `illegal_opcode` like every other one that is not \
         listed. Bit 8 of `w2` of the MTE1 loads and bit 12 of `w2` of `m.mmad` are kept for `sparse` and must be 0.\n\n{}",
        table(&["opcode", "name", "for"], rows)
    )
}

fn cores() -> String {
    let rows = [Config::tiny(), Config::lite(), Config::max()].map(|core| {
        vec![
            format!("`{}`", core.name),
            format!("{} x {} x {} ({})", core.m0, core.k0, core.n0, core.peak_macs()),
            format!(
                "{} / {} / {} / {} / {}",
                core.l1_bytes >> 10,
                core.l0a_bytes >> 10,
                core.l0b_bytes >> 10,
                core.l0c_bytes >> 10,
                core.ub_bytes >> 10
            ),
            format!("{} / {} / {}", core.l0a_fractals(), core.l0b_fractals(), core.l0c_fractals()),
            core.fb_channels.to_string(),
            core.fix_lanes.to_string(),
            core.bus_bytes.to_string(),
            core.queue_len.to_string(),
            format!("{:#010x}", core.hash()),
        ]
    });
    let head = [
        "core",
        "M0 x K0 x N0 (MAC per cycle)",
        "L1 / L0A / L0B / L0C / UB KiB",
        "L0A / L0B / L0C fractals",
        "FB channels",
        "FIX lanes",
        "bus bytes",
        "queue",
        "build hash",
    ];
    format!("\n## Named cores\n\n{}", table(&head, rows))
}
