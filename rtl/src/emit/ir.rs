// SPDX-License-Identifier: Apache-2.0
//! What stands between the Rust-HDL AST and the text: nets, typed expressions, unrolled statements.

use rust_hdl::prelude::ast::{VerilogOp, VerilogOpUnary};

pub(crate) type NetId = usize;

/// Where a net comes from and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// Input port of this module.
    Input,
    /// Output port of this module.
    Output,
    /// Wire of this module.
    Local,
    /// Input port of child number `child`.
    ToChild { child: usize, port: String },
    /// Output port of child number `child`.
    FromChild { child: usize, port: String },
    /// Constant with its value.
    Constant(i128),
}

/// One net of a module.
#[derive(Debug, Clone)]
pub(crate) struct Net {
    pub name: String,
    pub width: usize,
    pub signed: bool,
    pub role: Role,
}

/// Type of an expression, as Rust has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ty {
    /// `Bits<N>`, `bool` (N = 1), enums.
    Bits(usize),
    /// `Int<N>`: signed, exactly N bits.
    Int(usize),
    /// Exact integer result of `Int` arithmetic; the signal it is assigned to cuts it to size.
    Wide,
    /// A number whose type comes from what it meets.
    Number,
}

#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub op: Op,
    pub ty: Ty,
}

#[derive(Debug, Clone)]
pub(crate) enum Op {
    Net(NetId),
    Number(i128),
    /// Variant of an enum: `Type_Variant` and its number.
    Variant(String, i128),
    /// Zero extension or truncation to the expression's width.
    Resize(Box<Expr>),
    /// Same bits, other sign.
    Reinterpret(Box<Expr>),
    /// `Int<N>` as an exact integer.
    Exact(Box<Expr>),
    Binary(Box<Expr>, VerilogOp, Box<Expr>),
    Unary(VerilogOpUnary, Box<Expr>),
    /// Bits from `offset` on.
    Slice(Box<Expr>, Box<Expr>),
    ReplaceBit(Box<Expr>, Box<Expr>, Box<Expr>),
    /// Element `index` of a list of nets.
    Pick(Vec<NetId>, Box<Expr>),
}

impl Expr {
    pub(crate) fn width(&self) -> usize {
        match self.ty {
            Ty::Bits(width) | Ty::Int(width) => width,
            Ty::Wide | Ty::Number => 0,
        }
    }

    /// Calls `visit` with every net that is read.
    pub(crate) fn reads(&self, visit: &mut dyn FnMut(NetId)) {
        match &self.op {
            Op::Net(net) => visit(*net),
            Op::Number(_) | Op::Variant(..) => {}
            Op::Resize(e) | Op::Reinterpret(e) | Op::Exact(e) | Op::Unary(_, e) => e.reads(visit),
            Op::Binary(a, _, b) | Op::Slice(a, b) => {
                a.reads(visit);
                b.reads(visit);
            }
            Op::ReplaceBit(a, b, c) => {
                a.reads(visit);
                b.reads(visit);
                c.reads(visit);
            }
            Op::Pick(nets, index) => {
                nets.iter().for_each(|net| visit(*net));
                index.reads(visit);
            }
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Stmt {
    Assign(NetId, Expr),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    /// Test, arms in order, default.
    Case(Expr, Vec<(Label, Vec<Stmt>)>, Option<Vec<Stmt>>),
}

/// Label of a case arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    pub value: i128,
    /// `Type_Variant` for an enum, empty for a number.
    pub name: String,
}

/// A module before it is cut into processes.
pub(crate) struct Lowered {
    pub nets: Vec<Net>,
    pub body: Vec<Stmt>,
    /// Comments inside the kernel are dropped; leaf text is kept as it is.
    pub custom: Option<String>,
}
