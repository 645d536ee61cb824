// SPDX-License-Identifier: Apache-2.0
//! From the AST that `#[hdl_gen]` makes to typed, unrolled statements over nets.
//!
//! The AST carries no types, so they are inferred from the signals upwards, by Rust's own rules: both sides of an operator
//! on `Bits<N>` have N bits and so has the result, a number takes the type of the other side, arithmetic on `Int<N>` is exact.

use super::EmitError;
use super::index::{Loops, Path, evaluate, resolve};
use super::ir::{Expr, Label, Lowered, Net, NetId, Op, Role, Stmt, Ty};
use super::tree::{Scope, Signal};
use rust_hdl::prelude::ast::{
    VerilogBlock, VerilogBlockOrConditional, VerilogConditional, VerilogExpression, VerilogLink, VerilogMatch,
    VerilogOp, VerilogOpUnary, VerilogStatement,
};
use rust_hdl::prelude::{AtomKind, Verilog};
use std::collections::{HashMap, HashSet};

#[rustfmt::skip] // One word a line would be four pages.
/// Words that no module, port or net may be called, in either language of the tools behind us.
pub(crate) const RESERVED: &[&str] = &[
    "accept_on", "alias", "always", "always_comb", "always_ff", "always_latch", "and", "assert", "assign", "assume",
    "automatic", "before", "begin", "bind", "bins", "binsof", "bit", "break", "buf", "byte", "case", "casex", "casez",
    "cell", "chandle", "checker", "class", "clocking", "config", "const", "constraint", "context", "continue",
    "cover", "covergroup", "coverpoint", "cross", "deassign", "default", "defparam", "design", "disable", "dist",
    "do", "edge", "else", "end", "endcase", "endclass", "endclocking", "endfunction", "endgroup", "endinterface",
    "endmodule", "endpackage", "endprogram", "endproperty", "endsequence", "endspecify", "endtable", "endtask",
    "enum", "eval", "event", "expect", "export", "extends", "extern", "final", "first_match", "for", "force",
    "foreach", "forever", "fork", "forkjoin", "function", "generate", "genvar", "global", "if", "iff", "ignore_bins",
    "illegal_bins", "implements", "implies", "import", "incdir", "include", "initial", "inout", "input", "inside",
    "instance", "int", "integer", "interconnect", "interface", "intersect", "join", "join_any", "join_none", "large",
    "let", "liblist", "library", "local", "localparam", "logic", "longint", "macromodule", "matches", "medium",
    "modport", "module", "name", "nand", "negedge", "nettype", "new", "nexttime", "nor", "not", "null", "or",
    "output", "package", "packed", "parameter", "posedge", "primitive", "priority", "program", "property",
    "protected", "pulldown", "pullup", "pure", "rand", "randc", "randcase", "randsequence", "real", "ref", "reg",
    "reject_on", "release", "repeat", "restrict", "return", "scalared", "sequence", "shortint", "shortreal",
    "showcancelled", "signed", "small", "soft", "solve", "specify", "specparam", "static", "string", "strong",
    "strong0", "strong1", "struct", "super", "supply0", "supply1", "sync_accept_on", "sync_reject_on", "table",
    "tagged", "task", "this", "throughout", "time", "timeprecision", "timeunit", "trace", "tranif0", "tranif1", "tri",
    "triand", "trior", "trireg", "type", "typedef", "union", "unique", "unique0", "unsigned", "until", "until_with",
    "untyped", "use", "uwire", "var", "vectored", "virtual", "void", "vpi", "wait", "wait_order", "wand", "weak",
    "weak0", "weak1", "while", "wildcard", "wire", "with", "within", "wor", "xnor", "xor",
];

/// Lowers the kernel of `scope`.
pub(crate) fn lower(scope: &Scope) -> Result<Lowered, EmitError> {
    let mut lower = Lower {
        scope,
        nets: vec![],
        by_path: HashMap::new(),
        names: HashSet::new(),
        variants: HashMap::new(),
        loops: Loops::default(),
        place: String::new(),
    };
    lower.declare()?;
    let (body, custom) = match &scope.hdl {
        Verilog::Combinatorial(block) => (lower.block(block)?, None),
        Verilog::Custom(text) => (vec![], Some(text.clone())),
        Verilog::Empty => (vec![], None),
        Verilog::Blackbox(_) | Verilog::Wrapper(_) => {
            return Err(lower.refuse("vendor cells are wrapped by the board tops, not inside the core"));
        }
    };
    Ok(Lowered { nets: lower.nets, body, custom })
}

struct Lower<'a> {
    scope: &'a Scope,
    nets: Vec<Net>,
    by_path: HashMap<String, NetId>,
    names: HashSet<String>,
    /// `Type$Variant` to its number and width.
    variants: HashMap<String, (i128, usize)>,
    loops: Loops,
    /// Statement being lowered, for messages.
    place: String,
}

impl Lower<'_> {
    fn refuse(&self, reason: impl Into<String>) -> EmitError {
        EmitError { block: self.scope.path.clone(), place: self.place.clone(), reason: reason.into() }
    }

    fn declare(&mut self) -> Result<(), EmitError> {
        let scope = self.scope;
        for signal in &scope.signals {
            let role = match signal.kind {
                AtomKind::InputParameter => Role::Input,
                AtomKind::OutputParameter => Role::Output,
                AtomKind::LocalSignal => Role::Local,
                AtomKind::Constant => Role::Constant(self.constant(signal)?),
                _ => {
                    self.place = signal.name.clone();
                    return Err(self.refuse("only In, Out, Local and Constant signals are hardware here"));
                }
            };
            self.net(signal, signal.name.clone(), role)?;
        }
        for (number, child) in scope.children.iter().enumerate() {
            for signal in &child.signals {
                let port = signal.name.replace('$', "_");
                let role = match signal.kind {
                    AtomKind::InputParameter => Role::ToChild { child: number, port },
                    AtomKind::OutputParameter => Role::FromChild { child: number, port },
                    _ => {
                        self.enumerate(signal);
                        continue;
                    }
                };
                self.net(signal, format!("{}${}", child.name, signal.name), role)?;
            }
        }
        Ok(())
    }

    fn net(&mut self, signal: &Signal, path: String, role: Role) -> Result<(), EmitError> {
        self.enumerate(signal);
        let name = path.replace('$', "_");
        self.place = path.clone();
        if RESERVED.contains(&name.as_str()) {
            return Err(self.refuse("this is a word of Verilog or of its tools; choose another name"));
        }
        if !self.names.insert(name.clone()) {
            return Err(self.refuse("two signals get the same name in Verilog; rename one"));
        }
        let id = self.nets.len();
        self.nets.push(Net { name, width: signal.width, signed: signal.signed, role });
        self.by_path.insert(path, id);
        Ok(())
    }

    fn enumerate(&mut self, signal: &Signal) {
        for (value, variant) in signal.variants.iter().enumerate() {
            self.variants.insert(variant.replace("::", "$"), (value as i128, signal.width));
        }
    }

    fn constant(&mut self, signal: &Signal) -> Result<i128, EmitError> {
        self.place = signal.name.clone();
        let bits = number(&signal.literal)
            .ok_or_else(|| self.refuse("constants wider than 127 bits are not printed; split it"))?;
        let negative = signal.signed && bits >> (signal.width - 1) & 1 == 1;
        Ok(if negative { bits - (1 << signal.width) } else { bits })
    }

    fn block(&mut self, block: &VerilogBlock) -> Result<Vec<Stmt>, EmitError> {
        let mut out = vec![];
        for statement in block {
            self.statement(statement, &mut out)?;
        }
        Ok(out)
    }

    fn statement(&mut self, statement: &VerilogStatement, out: &mut Vec<Stmt>) -> Result<(), EmitError> {
        match statement {
            VerilogStatement::Assignment(target, value) => {
                self.place = format!("{} = {}", show(target), show(value));
                let net = self.target(target)?;
                let value = self.expression(value)?;
                let value = self.fit(value, net)?;
                out.push(Stmt::Assign(net, value));
            }
            VerilogStatement::SliceAssignment { base, .. } => {
                self.place = show(base);
                return Err(self.refuse("assigning part of a signal; give each part a signal of its own"));
            }
            VerilogStatement::If(conditional) => out.push(self.conditional(conditional)?),
            VerilogStatement::Match(matching) => out.push(self.matching(matching)?),
            VerilogStatement::Loop(repeat) => {
                for value in repeat.from.as_usize()..repeat.to.as_usize() {
                    self.loops.push(&repeat.index, value as i128);
                    let body = self.block(&repeat.block)?;
                    self.loops.pop();
                    out.extend(body);
                }
            }
            VerilogStatement::Comment(_) => {}
            VerilogStatement::Link(links) => {
                for link in links {
                    out.push(self.link(link)?);
                }
            }
            VerilogStatement::Macro(block) => out.extend(self.block(block)?),
        }
        Ok(())
    }

    fn link(&mut self, link: &VerilogLink) -> Result<Stmt, EmitError> {
        let (details, forward) = match link {
            VerilogLink::Forward(details) => (details, true),
            VerilogLink::Backward(details) => (details, false),
            VerilogLink::Bidirectional(_) => return Err(self.refuse("bidirectional signals do not exist on chip")),
        };
        let owner = format!("{}${}", details.owner_name, details.my_name);
        let other = format!("{}${}", details.other_name, details.my_name);
        let (target, value) = if forward { (other, owner) } else { (owner, other) };
        self.place = format!("{target} = {value}");
        let target = self.signal(&target)?;
        let value = self.signal(&value)?;
        let value = self.read(value);
        Ok(Stmt::Assign(target, value))
    }

    fn conditional(&mut self, conditional: &VerilogConditional) -> Result<Stmt, EmitError> {
        self.place = format!("if {}", show(&conditional.test));
        let test = self.expression(&conditional.test)?;
        let test = self.fit_ty(test, Ty::Bits(1))?;
        let then = self.block(&conditional.then)?;
        let otherwise = match &conditional.otherwise {
            VerilogBlockOrConditional::Block(block) => self.block(block)?,
            VerilogBlockOrConditional::Conditional(statement) => {
                let mut body = vec![];
                self.statement(statement, &mut body)?;
                body
            }
            VerilogBlockOrConditional::None => vec![],
        };
        Ok(Stmt::If(test, then, otherwise))
    }

    fn matching(&mut self, matching: &VerilogMatch) -> Result<Stmt, EmitError> {
        self.place = format!("match {}", show(&matching.test));
        let test = self.expression(&matching.test)?;
        let mut arms = vec![];
        let mut default = None;
        for case in &matching.cases {
            let text: String = case.condition.chars().filter(|c| !c.is_whitespace()).collect();
            let body = self.block(&case.block)?;
            if text == "default" {
                default = Some(body);
                break;
            }
            let path = text.replace("::", "$");
            let label = if let Some((value, _)) = self.variants.get(&path) {
                Label { value: *value, name: path.replace('$', "_") }
            } else {
                self.place = format!("match arm {text}");
                Label {
                    value: evaluate(&text, &self.loops)
                        .map_err(|_| self.refuse("an arm is an enum variant, a number or `_`"))?,
                    name: String::new(),
                }
            };
            arms.push((label, body));
        }
        Ok(Stmt::Case(test, arms, default))
    }

    fn target(&mut self, target: &VerilogExpression) -> Result<NetId, EmitError> {
        match target {
            VerilogExpression::Signal(path) => self.signal(path),
            _ => Err(self.refuse("the left side must be one signal")),
        }
    }

    fn signal(&self, path: &str) -> Result<NetId, EmitError> {
        match resolve(path, &self.loops).map_err(|reason| self.refuse(reason))? {
            Path::Signal(name) => self.lookup(&name),
            Path::Pick { .. } => {
                Err(self.refuse("assigning to an element chosen at run time; loop over the elements and compare"))
            }
        }
    }

    fn lookup(&self, name: &str) -> Result<NetId, EmitError> {
        self.by_path.get(name).copied().ok_or_else(|| {
            self.refuse(format!(
                "`{name}` is no signal of this block; values from Rust come in as Constant fields or by a loop of one turn"
            ))
        })
    }

    fn read(&self, net: NetId) -> Expr {
        let width = self.nets[net].width;
        Expr { op: Op::Net(net), ty: if self.nets[net].signed { Ty::Int(width) } else { Ty::Bits(width) } }
    }

    fn path(&self, path: &str) -> Result<Expr, EmitError> {
        let text: String = path.chars().filter(|c| !c.is_whitespace()).collect();
        let text = text.replace("::", "$");
        if let Some(value) = self.loops.get(&text) {
            return Ok(number_expr(value));
        }
        if let Some((value, width)) = self.variants.get(&text) {
            return Ok(Expr { op: Op::Variant(text.replace('$', "_"), *value), ty: Ty::Bits(*width) });
        }
        if text == "true" || text == "false" {
            return Ok(Expr { op: Op::Number(i128::from(text == "true")), ty: Ty::Bits(1) });
        }
        match resolve(&text, &self.loops).map_err(|reason| self.refuse(reason))? {
            Path::Signal(name) => Ok(self.read(self.lookup(&name)?)),
            Path::Pick { before, after, index } => {
                let index = self.read(self.lookup(&index)?);
                let mut nets = vec![];
                while let Some(net) = self.by_path.get(&format!("{before}{}{after}", nets.len())) {
                    nets.push(*net);
                }
                let first = *nets.first().ok_or_else(|| self.refuse("the list has no elements"))?;
                let ty = self.read(first).ty;
                Ok(Expr { op: Op::Pick(nets, Box::new(index)), ty })
            }
        }
    }

    fn expression(&mut self, expression: &VerilogExpression) -> Result<Expr, EmitError> {
        match expression {
            VerilogExpression::Signal(path) => self.path(path),
            VerilogExpression::Literal(literal) => number(&format!("{literal:x}"))
                .map(number_expr)
                .ok_or_else(|| self.refuse("numbers wider than 127 bits are not printed")),
            VerilogExpression::Paren(inner) => self.expression(inner),
            VerilogExpression::Cast(inner, width) => {
                let inner = self.expression(inner)?;
                match inner.ty {
                    Ty::Number => self.fit_ty(inner, Ty::Bits(*width)),
                    Ty::Bits(w) if w == *width => Ok(inner),
                    Ty::Bits(_) => Ok(Expr { op: Op::Resize(Box::new(inner)), ty: Ty::Bits(*width) }),
                    Ty::Int(_) | Ty::Wide => {
                        Err(self.refuse("bit_cast of a signed value; use unsigned_cast_int first"))
                    }
                }
            }
            VerilogExpression::Signed(inner) => {
                let inner = self.expression(inner)?;
                match inner.ty {
                    Ty::Bits(width) => Ok(Expr { op: Op::Reinterpret(Box::new(inner)), ty: Ty::Int(width) }),
                    Ty::Int(_) => Ok(Expr { op: Op::Exact(Box::new(inner)), ty: Ty::Wide }),
                    Ty::Wide | Ty::Number => {
                        Err(self
                            .refuse("a signed cast of arithmetic; put the arithmetic into a Local of its own width"))
                    }
                }
            }
            VerilogExpression::Unsigned(inner) => {
                let inner = self.expression(inner)?;
                match inner.ty {
                    Ty::Int(width) => Ok(Expr { op: Op::Reinterpret(Box::new(inner)), ty: Ty::Bits(width) }),
                    Ty::Bits(_) => Ok(inner),
                    Ty::Wide | Ty::Number => Err(self
                        .refuse("an unsigned cast of a value without a width; put it into a Local of its own width")),
                }
            }
            VerilogExpression::Binary(left, op, right) => {
                let left = self.expression(left)?;
                let right = self.expression(right)?;
                self.binary(left, op.clone(), right)
            }
            VerilogExpression::Unary(op, inner) => {
                let inner = self.expression(inner)?;
                self.unary(op.clone(), inner)
            }
            VerilogExpression::Index(inner, index) => {
                let inner = self.expression(inner)?;
                let index = self.expression(index)?;
                self.slice(inner, 1, index)
            }
            VerilogExpression::Slice(inner, width, offset) => {
                let inner = self.expression(inner)?;
                let offset = self.expression(offset)?;
                self.slice(inner, *width, offset)
            }
            VerilogExpression::IndexReplace(inner, index, value) => {
                let inner = self.expression(inner)?;
                let index = self.expression(index)?;
                let value = self.expression(value)?;
                let value = self.fit_ty(value, Ty::Bits(1))?;
                let Ty::Bits(_) = inner.ty else {
                    return Err(self.refuse("replace_bit works on Bits"));
                };
                let ty = inner.ty;
                Ok(Expr { op: Op::ReplaceBit(Box::new(inner), Box::new(index), Box::new(value)), ty })
            }
        }
    }

    fn slice(&self, inner: Expr, width: usize, offset: Expr) -> Result<Expr, EmitError> {
        let Ty::Bits(from) = inner.ty else {
            return Err(self.refuse("bits of a signed value; use unsigned_cast_int first"));
        };
        if let Op::Number(offset) = offset.op
            && (offset < 0 || offset as usize + width > from)
        {
            return Err(self.refuse(format!("bits {offset}+:{width} of a {from} bit value do not exist")));
        }
        Ok(Expr { op: Op::Slice(Box::new(inner), Box::new(offset)), ty: Ty::Bits(width) })
    }

    fn unary(&self, op: VerilogOpUnary, inner: Expr) -> Result<Expr, EmitError> {
        let ty = match (&op, inner.ty) {
            (VerilogOpUnary::Neg, Ty::Number) => {
                let Op::Number(value) = inner.op else {
                    return Err(self.refuse("a number without a value"));
                };
                return Ok(number_expr(-value));
            }
            (VerilogOpUnary::Neg, Ty::Int(_) | Ty::Wide) => Ty::Wide,
            (VerilogOpUnary::Not, Ty::Bits(width)) => Ty::Bits(width),
            (VerilogOpUnary::All | VerilogOpUnary::Any | VerilogOpUnary::Xor, Ty::Bits(_)) => Ty::Bits(1),
            _ => return Err(self.refuse("this operator does not exist on this type")),
        };
        Ok(Expr { op: Op::Unary(op, Box::new(inner)), ty })
    }

    fn binary(&self, left: Expr, op: VerilogOp, right: Expr) -> Result<Expr, EmitError> {
        use VerilogOp::{
            Add, BitAnd, BitOr, BitXor, Eq, Ge, Gt, Le, LogicalAnd, LogicalOr, Lt, Mul, Ne, Shl, Shr, Sub,
        };
        if let (Op::Number(a), Ty::Number, Op::Number(b), Ty::Number) = (&left.op, left.ty, &right.op, right.ty) {
            return self.fold(*a, &op, *b);
        }
        if matches!(op, Shl | Shr) {
            let Ty::Bits(_) = left.ty else {
                return Err(self.refuse("shifts work on Bits"));
            };
            if !matches!(right.ty, Ty::Bits(_) | Ty::Number) {
                return Err(self.refuse("a shift amount is Bits or a number"));
            }
            let ty = left.ty;
            return Ok(join(left, op, right, ty));
        }
        // A number takes the type of the other side, by Rust's own inference.
        let (left, right) = match (left.ty, right.ty) {
            (Ty::Number, Ty::Wide) | (Ty::Wide, Ty::Number) => (left, right),
            (Ty::Number, ty) => (self.fit_ty(left, ty)?, right),
            (ty, Ty::Number) => {
                let right = self.fit_ty(right, ty)?;
                (left, right)
            }
            _ => (left, right),
        };
        match (&op, left.ty, right.ty) {
            (Add | Sub | Mul, Ty::Int(_) | Ty::Wide | Ty::Number, Ty::Int(_) | Ty::Wide | Ty::Number) => {
                Ok(join(left, op, right, Ty::Wide))
            }
            (Add, Ty::Bits(a), Ty::Bits(1)) if a != 1 => {
                let right = Expr { op: Op::Resize(Box::new(right)), ty: Ty::Bits(a) };
                Ok(join(left, op, right, Ty::Bits(a)))
            }
            (Add | Sub | Mul | BitAnd | BitOr | BitXor, Ty::Bits(a), Ty::Bits(b)) if a == b => {
                Ok(join(left, op, right, Ty::Bits(a)))
            }
            (Eq | Ne | Lt | Le | Gt | Ge, Ty::Bits(a), Ty::Bits(b)) if a == b => Ok(join(left, op, right, Ty::Bits(1))),
            (Eq | Ne | Lt | Le | Gt | Ge, Ty::Int(a), Ty::Int(b)) if a == b => Ok(join(left, op, right, Ty::Bits(1))),
            (Eq | Ne | Lt | Le | Gt | Ge, Ty::Wide, _) | (Eq | Ne | Lt | Le | Gt | Ge, _, Ty::Wide) => {
                Err(self
                    .refuse("comparing arithmetic that has no width; put the arithmetic into a Local of its own width"))
            }
            (LogicalAnd | LogicalOr, Ty::Bits(1), Ty::Bits(1)) => Ok(join(left, op, right, Ty::Bits(1))),
            (_, a, b) => Err(self.refuse(format!("the sides of the operator are {a:?} and {b:?}"))),
        }
    }

    fn fold(&self, a: i128, op: &VerilogOp, b: i128) -> Result<Expr, EmitError> {
        let truth = |value: bool| Expr { op: Op::Number(i128::from(value)), ty: Ty::Bits(1) };
        Ok(match op {
            VerilogOp::Add => number_expr(a + b),
            VerilogOp::Sub => number_expr(a - b),
            VerilogOp::Mul => number_expr(a * b),
            VerilogOp::Shl => number_expr(a << b),
            VerilogOp::Shr => number_expr(a >> b),
            VerilogOp::BitAnd => number_expr(a & b),
            VerilogOp::BitOr => number_expr(a | b),
            VerilogOp::BitXor => number_expr(a ^ b),
            VerilogOp::Eq => truth(a == b),
            VerilogOp::Ne => truth(a != b),
            VerilogOp::Lt => truth(a < b),
            VerilogOp::Le => truth(a <= b),
            VerilogOp::Gt => truth(a > b),
            VerilogOp::Ge => truth(a >= b),
            VerilogOp::LogicalAnd | VerilogOp::LogicalOr => {
                return Err(self.refuse("a logical operator on numbers"));
            }
        })
    }

    /// Gives a value the type of the net it is assigned to.
    fn fit(&self, value: Expr, net: NetId) -> Result<Expr, EmitError> {
        let target = &self.nets[net];
        if matches!(target.role, Role::Input | Role::FromChild { .. } | Role::Constant(_)) {
            return Err(self.refuse("this signal cannot be driven from here"));
        }
        let ty = if target.signed { Ty::Int(target.width) } else { Ty::Bits(target.width) };
        self.fit_ty(value, ty)
    }

    fn fit_ty(&self, value: Expr, ty: Ty) -> Result<Expr, EmitError> {
        match (value.ty, ty) {
            (a, b) if a == b => Ok(value),
            (Ty::Number, Ty::Bits(width)) | (Ty::Number, Ty::Int(width)) => {
                let Op::Number(number) = value.op else {
                    return Err(self.refuse("a number without a value"));
                };
                let signed = matches!(ty, Ty::Int(_));
                let (low, high) = range(width, signed);
                if number < low || number > high {
                    return Err(self.refuse(format!("the number {number} does not fit {width} bits")));
                }
                Ok(Expr { op: Op::Number(number), ty })
            }
            // The target cuts exact arithmetic to its own width.
            (Ty::Wide, Ty::Int(_)) => Ok(value),
            (a, b) => Err(self.refuse(format!("a value of type {a:?} meets a signal of type {b:?}"))),
        }
    }
}

/// Smallest and largest value of a type.
fn range(width: usize, signed: bool) -> (i128, i128) {
    match (signed, width) {
        (true, 0) | (false, 0) => (0, 0),
        (true, w) if w < 127 => (-(1 << (w - 1)), (1 << (w - 1)) - 1),
        (false, w) if w < 127 => (0, (1 << w) - 1),
        (true, _) => (i128::MIN, i128::MAX),
        (false, _) => (0, i128::MAX),
    }
}

fn join(left: Expr, op: VerilogOp, right: Expr, ty: Ty) -> Expr {
    Expr { op: Op::Binary(Box::new(left), op, Box::new(right)), ty }
}

fn number_expr(value: i128) -> Expr {
    Expr { op: Op::Number(value), ty: Ty::Number }
}

/// Reads `width'hdigits` as the AST prints its literals.
fn number(literal: &str) -> Option<i128> {
    let digits = literal.split_once("'h").map_or(literal, |(_, digits)| digits);
    match digits.strip_prefix('-') {
        Some(digits) => i128::from_str_radix(digits, 16).ok().map(|value| -value),
        None => i128::from_str_radix(digits, 16).ok(),
    }
}

/// The expression in words near to the Rust text, for messages.
fn show(expression: &VerilogExpression) -> String {
    use VerilogExpression as E;
    match expression {
        E::Signal(path) => path.split_whitespace().collect::<String>().replace('$', "."),
        E::Literal(literal) => format!("{literal}"),
        E::Cast(e, width) => format!("bit_cast::<{width}>({})", show(e)),
        E::Signed(e) => format!("signed_cast({})", show(e)),
        E::Unsigned(e) => format!("unsigned_cast({})", show(e)),
        E::Paren(e) => format!("({})", show(e)),
        E::Binary(a, op, b) => format!("({} {op:?} {})", show(a), show(b)),
        E::Unary(op, e) => format!("{op:?}({})", show(e)),
        E::Index(e, i) => format!("{}.get_bit({})", show(e), show(i)),
        E::Slice(e, width, i) => format!("{}.get_bits::<{width}>({})", show(e), show(i)),
        E::IndexReplace(e, i, v) => format!("{}.replace_bit({}, {})", show(e), show(i), show(v)),
    }
}
