// SPDX-License-Identifier: Apache-2.0
//! A block in Rust-HDL's own simulation, cycle by cycle: what the Verilog is compared with.
//!
//! ```text
//!   set inputs ─► settle() ─► read outputs ─► edge() ─► set inputs ─► ...
//!                     └──────── companions ─────┘ see the block settled, and before and after the edge
//! ```
//! Half as simple and fifty times as fast as the crate's threaded `Simulation`.

use rust_hdl::prelude::{Block, Clock, check_all, simulate};
use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

/// Rounds after which a block that still changes is a combinational loop.
const ROUNDS: usize = 1_000;

/// What goes along with a twin: it sees all that a test can see, and the state before and after every rising edge.
pub trait Companion<U> {
    /// The block has settled with the clock low; `cycle` counts the rising edges so far.
    fn settled(&mut self, uut: &U, cycle: u64);

    /// The clock rises; the inputs are those of the last [`Companion::settled`].
    fn rise(&mut self);
}

/// Makes the companion of a new twin.
type Maker<U> = Rc<dyn Fn() -> Box<dyn Companion<U>>>;

thread_local! {
    /// The makers of the calls of [`accompanied`] that run on this thread: a `Maker<U>` for some U each.
    static MAKERS: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(vec![]) };
}

/// Runs `body`; every twin of a U that it makes on this thread gets a companion from `maker`.
///
/// So a test can have the stimuli of another test seen by a second simulation, and that test does not know. Calls may be nested,
/// also for the same U.
pub fn accompanied<U: 'static, R>(maker: impl Fn() -> Box<dyn Companion<U>> + 'static, body: impl FnOnce() -> R) -> R {
    /// Takes the maker away again, also when `body` panics.
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            MAKERS.with_borrow_mut(|makers| makers.pop());
        }
    }
    let maker: Maker<U> = Rc::new(maker);
    MAKERS.with_borrow_mut(|makers| makers.push(Box::new(maker)));
    let _guard = Guard;
    body()
}

/// A block and the way to its clock.
pub struct Twin<U: Block> {
    /// The block: set `uut.port.next`, read `uut.port.val()`.
    pub uut: U,
    clock: fn(&mut U, Clock),
    companions: Vec<Box<dyn Companion<U>>>,
    /// Rising edges so far.
    pub cycle: u64,
}

impl<U: Block + 'static> Twin<U> {
    /// Connects and checks `uut`; `clock` sets its clock port (`|uut, level| uut.clk.next = level`).
    ///
    /// Panics if a signal is not driven or the block does not settle.
    pub fn new(mut uut: U, clock: fn(&mut U, Clock)) -> Self {
        uut.connect_all();
        if let Err(error) = check_all(&uut) {
            panic!("the block is not wired completely: {error:?}");
        }
        let makers: Vec<Maker<U>> =
            MAKERS.with_borrow(|makers| makers.iter().filter_map(|maker| maker.downcast_ref()).cloned().collect());
        let mut twin = Twin { uut, clock, companions: vec![], cycle: 0 };
        twin.level(false);
        twin.companions = makers.iter().map(|maker| maker()).collect();
        twin.show();
        twin
    }

    /// Lets the inputs act on the combinational outputs.
    ///
    /// Panics if the block does not settle.
    pub fn settle(&mut self) {
        self.simulate();
        self.show();
    }

    /// One rising edge; inputs that were set before it act on it.
    ///
    /// Panics if the block does not settle.
    pub fn edge(&mut self) {
        self.settle();
        self.companions.iter_mut().for_each(|companion| companion.rise());
        self.level(true);
        self.level(false);
        self.cycle += 1;
        self.show();
    }

    fn level(&mut self, clk: bool) {
        (self.clock)(&mut self.uut, Clock { clk });
        self.simulate();
    }

    fn simulate(&mut self) {
        assert!(simulate(&mut self.uut, ROUNDS), "cycle {}: the block does not settle", self.cycle);
    }

    fn show(&mut self) {
        for companion in &mut self.companions {
            companion.settled(&self.uut, self.cycle);
        }
    }
}
