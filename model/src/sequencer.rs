// SPDX-License-Identifier: Apache-2.0
//! The pipe S: fetch, decode, and the checks that need nothing but the instruction.
//!
//! One instruction at a time, when the core asks for it. Hardware fetches ahead in bursts: there a window or bus error behind END
//! can fault, here it cannot.

use crate::Trap;
use crate::gm::Gm;
use crate::memory::GM_BYTES;
use isa::limits::INSTRUCTION_BYTES;
use isa::{Cause, Config, Inst};

/// Where the program is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sequencer {
    /// Byte offset of the next instruction from the start of the program.
    pub(crate) pc: u32,
}

impl Sequencer {
    /// The instruction at `pc`, which then points to the next.
    ///
    /// *Errors*: `window_execute` at the end of the program or outside the windows; `bus_read_error`; `illegal_opcode`,
    /// `illegal_field`, `unsupported`. `pc` then still points to the instruction.
    pub(crate) fn next(&mut self, gm: &mut Gm, config: &Config) -> Result<Inst, Trap> {
        let run = gm.run();
        if self.pc >= run.program_length() {
            let address = run.program_address() + u64::from(self.pc);
            return Err(Trap::new(Cause::WindowExecute, address % GM_BYTES));
        }
        let bytes = gm.fetch(self.pc)?;
        let inst = Inst::decode(&bytes)
            .and_then(|inst| inst.check_supported(config).map(|()| inst))
            .map_err(|error| Trap::new(error.cause(), 0))?;
        self.pc += INSTRUCTION_BYTES as u32;
        Ok(inst)
    }
}
