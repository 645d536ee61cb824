// SPDX-License-Identifier: Apache-2.0
//! The model as a transport: the same bits as the hardware, at once, without cycles.

use crate::error::{HostError, Result};
use crate::program::Program;
use crate::report::Report;
use crate::transport::{Transport, check_address};
use isa::{Config, Counter};
use model::{Core, Memory, Outcome, Run, SparseMemory};

/// A modelled core with a sparse global memory.
#[derive(Clone, Debug)]
pub struct Modelled {
    core: Core,
    memory: SparseMemory,
}

impl Modelled {
    /// A core of this configuration; buffers and memory hold a pattern that depends on `seed`, so that nothing can rely on zeros.
    ///
    /// *Errors*: [`HostError::Config`] if the configuration is illegal.
    pub fn new(config: &Config, seed: u64) -> Result<Modelled> {
        let mut core = Core::new(config.clone())?;
        core.poison(seed);
        Ok(Modelled { core, memory: SparseMemory::new(seed) })
    }
}

impl Transport for Modelled {
    fn config(&self) -> &Config {
        self.core.config()
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        self.memory.write(address, bytes).map_err(|_| HostError::Address { address, len: bytes.len() })
    }

    fn read(&mut self, address: u64, len: usize) -> Result<Vec<u8>> {
        check_address(address, len)?;
        Ok(self.memory.bytes(address, len))
    }

    fn run(&mut self, program: &Program) -> Result<Report> {
        self.write(program.address(), program.code())?;
        let mut run = Run::new(program.address(), program.code().len() as u32);
        for (index, &base) in program.bases().iter().enumerate() {
            run = run.with_base(index, base);
        }
        for (index, &window) in program.windows().iter().enumerate() {
            run = run.with_window(index, window);
        }
        match self.core.run(&mut self.memory, &run) {
            Outcome::Done(counts) => {
                let known = Counter::all().filter_map(|counter| Some((counter, counts.get(counter)?)));
                Ok(Report::new(self.core.config(), known))
            }
            Outcome::Fault(record) => Err(HostError::Fault(record)),
        }
    }
}
