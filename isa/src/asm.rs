// SPDX-License-Identifier: Apache-2.0
//! The text form of programs (`.qasm`): assembler and disassembler.
//!
//! ```text
//! ; One line is one instruction: mnemonic, operands in any order, waits, sets.
//! .equ K 128                             ; a constant; numbers are 12, -3, 0x1f, 0b101, 4K (4000), 4Ki (4096), 1_000, 2*(K+1)
//! mte2.load  dst=l1[0] gm=b0[0x100] rows=64 len_bytes=K gm_stride=4*K dst_stride=2Ki layout=nz  set mte1.0
//! set        mte1.zero_point_a 3         ; a state register by name
//! set        fix.scale 0.0125            ; fp32 by value or by bits
//! mte1.loada dst=l0a[0] src=l1[0] panel_stride=2Ki rows=64 k=K dtype=u8  wait mte2.0  set m.1 early
//! m.mmad     c=l0c[0] a=l0a[0] b=l0b[0] m=64 n=64 k=K dtype_a=u8 dtype_b=s8 accumulate  wait mte1.1 mte1.2  set fix.0 early
//! fix.store  dst=b1[0] src=l0c[0] m=64 n=64 dst_stride=64 dtype_out=s8 bias relu channel=0  wait m.0
//! end
//! ```
//! * `wait PIPE.ID` takes a flag that PIPE sets, `set PIPE.ID` raises one that PIPE waits for; `early` may follow a set.
//! * Switches (`transpose`, `accumulate`, `bias`, `per_channel`, `relu`, `clamp`) stand alone.
//! * `layout=rows`, `rounding=onnx` and `channel=0` may be left out; every other operand must be there.
//! * `;`, `#` and `//` start a comment. Commas count as blanks.
//!
//! [`disassemble`] writes the canonical text: [`assemble`] gives the same program back, and disassembling again the same text.

mod error;
mod lexer;
mod operands;
mod parser;
mod printer;

pub use error::{AsmError, AsmProblem};
pub use operands::{Form, Operand, operands};
pub use parser::{Assembly, assemble};
pub use printer::{disassemble, line};
