// SPDX-License-Identifier: Apache-2.0
//! What a user programs: matrix products and convolutions of any size, cut into tiles, made into a program, run on a core wherever it is.
//!
//! ```text
//!  Gemm ──compile(Config)──► Tiling ─► schedule ─► Program ──run──► Transport ─► Product { c, report }
//!                                                                 Simulated | Modelled | Serial
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

mod batch;
mod bus;
mod channels;
mod conv;
mod debugger;
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
mod residual;
mod roof;
mod serial;
mod simulated;
mod slots;
mod timeline;
mod timing;
mod transport;
mod trigger;

pub use batch::Batch;
pub use channels::{FixedMode, Output};
pub use conv::{CompiledConv, Conv, ConvTiling, Reduce, conv2d, conv2d_with};
pub use debugger::{Access, Breakpoint, Debugger, Event, InFlight, PipeState};
pub use error::{HostError, Result};
pub use gemm::{Compiled, Gemm, Tiling, gemm, gemm_with};
pub use job::{Job, Operand, ResultPlace};
pub use model::Window;
pub use modelled::Modelled;
pub use multiplier::Multiplier;
pub use nets::{Layer, Net, resnet_50};
pub use placement::Product;
pub use program::Program;
pub use report::Report;
pub use residual::Residual;
pub use roof::Roof;
pub use serial::{LineStatistics, LinkError, Serial, SerialSettings};
pub use sim::core::Ended;
pub use sim::{Burst, Counted, Dump, Format, Look, PipeRecord, Recording, Saved, Written};
pub use simulated::{Keep, MemorySettings, Observe, Simulated};
pub use timeline::{Span, Taken, Timeline, lanes};
pub use transport::Transport;
pub use trigger::Trigger;
