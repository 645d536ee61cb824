// SPDX-License-Identifier: Apache-2.0
//! What a user programs: matrix products and convolutions of any size, cut into tiles, made into a program, run on a core wherever it is.
//!
//! ```text
//!  Gemm ──compile(Config)──► Tiling ─► schedule ─► Program ──run──► Transport ─► Product { c, report }
//!                                                                 Simulated | Modelled
//! ```
//!
//! ```
//! use host::{Gemm, Modelled, gemm};
//! let mut core = Modelled::new(&isa::Config::lite(), 1)?;
//! // [2, 3] x [3, 2], int8 in, int32 out.
//! let product = gemm(&mut core, &Gemm::new(2, 2, 3), &[1, 2, 3, 4, 5, 6], &[1, 0, 0, 1, 255, 1])?;
//! assert_eq!(product.values(), [1 - 3, 2 + 3, 4 - 6, 5 + 6]);
//! # Ok::<(), host::HostError>(())
//! ```

mod channels;
mod conv;
mod emit;
mod error;
mod gemm;
mod job;
mod modelled;
mod multiplier;
mod nets;
mod placement;
mod program;
mod report;
mod simulated;
mod slots;
mod timeline;
mod transport;
mod trigger;

pub use channels::{FixedMode, Output};
pub use conv::{CompiledConv, Conv, ConvTiling, conv2d};
pub use error::{HostError, Result};
pub use gemm::{Compiled, Gemm, Tiling, gemm};
pub use job::{Job, Operand, ResultPlace};
pub use model::Window;
pub use modelled::Modelled;
pub use multiplier::Multiplier;
pub use nets::{Layer, Net};
pub use placement::Product;
pub use program::Program;
pub use report::Report;
pub use sim::{Burst, Counted, Dump, Format, PipeRecord, Recording, Saved, Written};
pub use simulated::{Keep, MemorySettings, Observe, Simulated};
pub use timeline::{Span, Taken, Timeline, lanes};
pub use transport::Transport;
pub use trigger::Trigger;
