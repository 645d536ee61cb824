// SPDX-License-Identifier: Apache-2.0
//! Lowered modules to Verilog-2001 text.
//!
//! Invariant of every printed expression: its self-determined width is the width of its type, and its parts have the widths of
//! theirs. What needs a name before it can be cut (bits of a sum) gets a wire of its own.

use super::EmitError;
use super::cone::{Process, cut, written};
use super::ir::{Expr, Lowered, Net, NetId, Op, Role, Stmt, Ty};
use super::tree::{Scope, flat, inline_text};
use rust_hdl::prelude::ast::{VerilogOp, VerilogOpUnary};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;

/// Header comment, module line and body of one file.
pub(crate) fn file(name: &str, purpose: &str, body: &str) -> String {
    let mut text = String::from("// SPDX-License-Identifier: Apache-2.0\n");
    let purpose = purpose.trim();
    if purpose.is_empty() {
        let _ = writeln!(text, "// {name}");
    } else {
        let _ = writeln!(text, "// {name}: {purpose}");
    }
    text.push_str("// Generated from Rust-HDL by Quader; the source is in rtl/src.\n");
    let _ = writeln!(text, "module {name} {body}endmodule");
    text
}

/// Everything from the port list to before `endmodule`.
pub(crate) fn body(scope: &Scope, lowered: Lowered, kinds: &[String]) -> Result<String, EmitError> {
    let processes = cut(scope, &lowered)?;
    let mut printer = Printer {
        scope,
        nets: lowered.nets,
        names: HashSet::new(),
        auxiliary: String::new(),
        subject: String::new(),
        labels: BTreeMap::new(),
        error: None,
    };
    printer.names = printer.nets.iter().map(|n| n.name.clone()).collect();
    let text = printer.module(&processes, lowered.custom.as_deref(), kinds);
    match printer.error {
        Some(error) => Err(error),
        None => Ok(text),
    }
}

struct Printer<'a> {
    scope: &'a Scope,
    nets: Vec<Net>,
    names: HashSet<String>,
    /// Wires that expressions needed, declared before the processes.
    auxiliary: String,
    /// Name that auxiliary wires are derived from.
    subject: String,
    /// Enum variants in use: name to (width, value).
    labels: BTreeMap<String, (usize, i128)>,
    error: Option<EmitError>,
}

fn range(width: usize, signed: bool) -> String {
    let sign = if signed { "signed " } else { "" };
    if width == 1 { sign.to_owned() } else { format!("{sign}[{}:0] ", width - 1) }
}

fn literal(value: i128, width: usize, signed: bool) -> String {
    let s = if signed { "s" } else { "" };
    match value {
        v if v < 0 => format!("-{width}'sd{}", -v),
        v if v < 1024 => format!("{width}'{s}d{v}"),
        v => format!("{width}'{s}h{v:x}"),
    }
}

impl Printer<'_> {
    fn module(&mut self, processes: &[Process], custom: Option<&str>, kinds: &[String]) -> String {
        let aliases = self.aliases(processes);
        self.see_through(&aliases);
        let mut reg: BTreeSet<NetId> = BTreeSet::new();
        let mut wiring = String::new();
        for process in processes {
            let silent = process.targets.len() == 1 && aliases.skip.contains(&process.targets[0]);
            if !silent {
                self.process(process, &mut wiring, &mut reg);
            }
        }
        let mut instances = String::new();
        let mut state = String::new();
        let mut used: BTreeSet<NetId> = self.read_nets(processes);
        for (number, child) in self.scope.children.iter().enumerate() {
            match inline_text(&child.hdl) {
                Some(text) => self.inline(number, text, &aliases, &mut state, &mut reg),
                None => self.instance(number, &kinds[number], &aliases, &mut used, &mut instances),
            }
        }
        let custom = custom.map(|text| {
            custom_body(text, &mut |name| {
                if let Some(id) = self.nets.iter().position(|n| n.name == name && n.role == Role::Output) {
                    reg.insert(id);
                }
            })
        });
        let mut text = self.ports(&reg);
        self.constants(&used, &mut text);
        self.declarations(&aliases, &reg, &used, &mut text);
        text.push_str(&self.auxiliary);
        for part in [&instances, &wiring, &state] {
            if !part.is_empty() {
                text.push('\n');
                text.push_str(part);
            }
        }
        if let Some(custom) = custom {
            text.push('\n');
            text.push_str(&custom);
        }
        text
    }

    fn read_nets(&self, processes: &[Process]) -> BTreeSet<NetId> {
        fn walk(body: &[Stmt], used: &mut BTreeSet<NetId>) {
            for statement in body {
                match statement {
                    Stmt::Assign(_, value) => value.reads(&mut |n| {
                        used.insert(n);
                    }),
                    Stmt::If(test, then, otherwise) => {
                        test.reads(&mut |n| {
                            used.insert(n);
                        });
                        walk(then, used);
                        walk(otherwise, used);
                    }
                    Stmt::Case(test, arms, default) => {
                        test.reads(&mut |n| {
                            used.insert(n);
                        });
                        arms.iter().for_each(|(_, body)| walk(body, used));
                        default.iter().for_each(|body| walk(body, used));
                    }
                }
            }
        }
        let mut used = BTreeSet::new();
        processes.iter().for_each(|p| walk(&p.body, &mut used));
        used
    }

    fn ports(&self, reg: &BTreeSet<NetId>) -> String {
        let ports: Vec<String> = self
            .nets
            .iter()
            .enumerate()
            .filter_map(|(id, net)| {
                let kind = match net.role {
                    Role::Input => "input  wire",
                    Role::Output if reg.contains(&id) => "output reg ",
                    Role::Output => "output wire",
                    _ => return None,
                };
                Some(format!("    {kind} {}{}", range(net.width, net.signed), net.name))
            })
            .collect();
        format!("(\n{}\n);\n", ports.join(",\n"))
    }

    fn constants(&self, used: &BTreeSet<NetId>, text: &mut String) {
        for (id, net) in self.nets.iter().enumerate() {
            if let Role::Constant(value) = net.role
                && used.contains(&id)
            {
                let _ = writeln!(
                    text,
                    "    localparam {}{} = {};",
                    range(net.width, net.signed),
                    net.name,
                    literal(value, net.width, net.signed)
                );
            }
        }
        for (name, (width, value)) in &self.labels {
            let _ =
                writeln!(text, "    localparam {}{name} = {};", range(*width, false), literal(*value, *width, false));
        }
    }

    fn declarations(&self, aliases: &Aliases, reg: &BTreeSet<NetId>, used: &BTreeSet<NetId>, text: &mut String) {
        for (id, net) in self.nets.iter().enumerate() {
            let declared = match &net.role {
                Role::Local => true,
                Role::ToChild { .. } => !aliases.direct.contains_key(&id),
                Role::FromChild { .. } => {
                    !aliases.direct.contains_key(&id) && (used.contains(&id) || reg.contains(&id))
                }
                _ => false,
            };
            if declared {
                let kind = if reg.contains(&id) { "reg " } else { "wire" };
                let _ = writeln!(text, "    {kind} {}{};", range(net.width, net.signed), net.name);
            }
        }
    }

    /// Which child ports connect to a net directly, and which assignments that makes superfluous.
    fn aliases(&self, processes: &[Process]) -> Aliases {
        let mut aliases = Aliases::default();
        let mut out_of: BTreeMap<NetId, usize> = BTreeMap::new();
        let single = |process: &Process| -> Option<(NetId, Expr)> {
            match process.body.as_slice() {
                [Stmt::Assign(target, value)] => Some((*target, value.clone())),
                _ => None,
            }
        };
        for process in processes {
            if let Some((target, Expr { op: Op::Net(source), .. })) = single(process)
                && self.nets[target].role == Role::Output
            {
                *out_of.entry(source).or_default() += 1;
                if matches!(self.nets[source].role, Role::FromChild { .. }) && out_of[&source] == 1 {
                    aliases.direct.insert(source, Connection::Net(target));
                    aliases.skip.insert(target);
                }
            }
        }
        for process in processes {
            let Some((target, value)) = single(process) else {
                continue;
            };
            if !matches!(self.nets[target].role, Role::ToChild { .. }) {
                continue;
            }
            let connection = match value {
                Expr { op: Op::Net(source), .. } => Connection::Net(source),
                Expr { op: Op::Number(value), ty } => {
                    let signed = matches!(ty, Ty::Int(_));
                    Connection::Text(literal(value, self.nets[target].width, signed))
                }
                _ => continue,
            };
            aliases.direct.insert(target, connection);
            aliases.skip.insert(target);
        }
        aliases
    }

    /// Gives directly connected ports the name of what they connect to.
    fn see_through(&mut self, aliases: &Aliases) {
        // First the outputs that show a child's output, then the child inputs that may read such a child.
        for outputs in [true, false] {
            for (port, connection) in &aliases.direct {
                if matches!(self.nets[*port].role, Role::FromChild { .. }) == outputs {
                    self.nets[*port].name = match connection {
                        Connection::Net(net) => self.nets[*net].name.clone(),
                        Connection::Text(text) => text.clone(),
                    };
                }
            }
        }
    }

    fn instance(
        &mut self,
        number: usize,
        kind: &str,
        aliases: &Aliases,
        used: &mut BTreeSet<NetId>,
        text: &mut String,
    ) {
        let mut pins = vec![];
        for (id, net) in self.nets.iter().enumerate() {
            match &net.role {
                Role::ToChild { child, port } if *child == number => {
                    if let Some(Connection::Net(source)) = aliases.direct.get(&id) {
                        used.insert(*source);
                    }
                    pins.push(format!("        .{port}({})", net.name));
                }
                Role::FromChild { child, port } if *child == number => {
                    let name = if used.contains(&id) || aliases.direct.contains_key(&id) || self.feeds(id, aliases) {
                        used.insert(id);
                        net.name.clone()
                    } else {
                        String::new()
                    };
                    pins.push(format!("        .{port}({name})"));
                }
                _ => {}
            }
        }
        let name = flat(&self.scope.children[number].name);
        let _ = writeln!(text, "    {kind} {name} (\n{}\n    );", pins.join(",\n"));
    }

    fn feeds(&self, net: NetId, aliases: &Aliases) -> bool {
        aliases.direct.values().any(|c| matches!(c, Connection::Net(source) if *source == net))
    }

    /// Prints a register where it stands, its port names replaced by the nets they connect to.
    fn inline(&mut self, number: usize, leaf: &str, aliases: &Aliases, text: &mut String, reg: &mut BTreeSet<NetId>) {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for (id, net) in self.nets.iter().enumerate() {
            match &net.role {
                Role::ToChild { child, port } if *child == number => {
                    names.insert(port.clone(), net.name.clone());
                }
                Role::FromChild { child, port } if *child == number => {
                    // A register that an output shows directly is that output.
                    let target = match aliases.direct.get(&id) {
                        Some(Connection::Net(target)) => *target,
                        _ => id,
                    };
                    reg.insert(target);
                    names.insert(port.clone(), net.name.clone());
                }
                _ => {}
            }
        }
        for line in leaf.trim_end().lines() {
            let _ = writeln!(text, "    {}", rename(line, &names));
        }
    }

    fn process(&mut self, process: &Process, text: &mut String, reg: &mut BTreeSet<NetId>) {
        if let [Stmt::Assign(target, value)] = process.body.as_slice() {
            let value = self.assigned(*target, value);
            let _ = writeln!(text, "    assign {} = {value};", self.nets[*target].name);
            return;
        }
        reg.extend(&process.targets);
        let _ = writeln!(text, "    always @(*) begin");
        for statement in &process.body {
            self.statement(statement, 2, text);
        }
        let _ = writeln!(text, "    end");
    }

    fn assigned(&mut self, target: NetId, value: &Expr) -> String {
        self.subject = self.nets[target].name.clone();
        if value.ty == Ty::Wide { self.wide(value, self.nets[target].width) } else { strip(self.expr(value)) }
    }

    fn statement(&mut self, statement: &Stmt, depth: usize, text: &mut String) {
        let pad = "    ".repeat(depth);
        match statement {
            Stmt::Assign(target, value) => {
                let value = self.assigned(*target, value);
                let _ = writeln!(text, "{pad}{} = {value};", self.nets[*target].name);
            }
            Stmt::If(test, then, otherwise) => {
                self.name_after(statement);
                let mut test = test.clone();
                let (mut then, mut otherwise) = (then, otherwise);
                if then.is_empty() {
                    test = negate(test);
                    std::mem::swap(&mut then, &mut otherwise);
                }
                let test = strip(self.expr(&test));
                let _ = writeln!(text, "{pad}if ({test}) begin");
                then.iter().for_each(|s| self.statement(s, depth + 1, text));
                self.otherwise(otherwise, depth, text);
            }
            Stmt::Case(test, arms, default) => self.case(statement, test, arms, default.as_deref(), depth, text),
        }
    }

    fn otherwise(&mut self, otherwise: &[Stmt], depth: usize, text: &mut String) {
        let pad = "    ".repeat(depth);
        match otherwise {
            [] => {
                let _ = writeln!(text, "{pad}end");
            }
            [chained @ Stmt::If(test, then, rest)] if !then.is_empty() => {
                self.name_after(chained);
                let test = strip(self.expr(test));
                let _ = writeln!(text, "{pad}end else if ({test}) begin");
                then.iter().for_each(|s| self.statement(s, depth + 1, text));
                self.otherwise(rest, depth, text);
            }
            body => {
                let _ = writeln!(text, "{pad}end else begin");
                body.iter().for_each(|s| self.statement(s, depth + 1, text));
                let _ = writeln!(text, "{pad}end");
            }
        }
    }

    fn case(
        &mut self,
        statement: &Stmt,
        test: &Expr,
        arms: &[(super::ir::Label, Vec<Stmt>)],
        default: Option<&[Stmt]>,
        depth: usize,
        text: &mut String,
    ) {
        let pad = "    ".repeat(depth);
        self.name_after(statement);
        let width = test.width();
        let selector = strip(self.expr(test));
        let _ = writeln!(text, "{pad}case ({selector})");
        // Without `_` Rust has proved the arms exhaustive: the last one then also stands for encodings that never occur.
        let last = if default.is_none() { arms.len().saturating_sub(1) } else { arms.len() };
        // An arm without effect here is left out, unless what stands as `default` has one.
        let fallback = default.or(arms.last().map(|(_, body)| body.as_slice()));
        let silent_fallback = fallback.is_none_or(<[Stmt]>::is_empty);
        for (at, (label, body)) in arms.iter().enumerate() {
            if body.is_empty() && silent_fallback && at != last {
                continue;
            }
            let label = if at == last {
                "default".to_owned()
            } else if label.name.is_empty() {
                literal(label.value, width, matches!(test.ty, Ty::Int(_)))
            } else {
                self.labels.insert(label.name.clone(), (width, label.value));
                label.name.clone()
            };
            self.arm(&label, body, depth + 1, text);
        }
        if let Some(body) = default {
            self.arm("default", body, depth + 1, text);
        }
        let _ = writeln!(text, "{pad}endcase");
    }

    fn arm(&mut self, label: &str, body: &[Stmt], depth: usize, text: &mut String) {
        let pad = "    ".repeat(depth);
        if body.is_empty() {
            let _ = writeln!(text, "{pad}{label}: ;");
            return;
        }
        let _ = writeln!(text, "{pad}{label}: begin");
        body.iter().for_each(|s| self.statement(s, depth + 1, text));
        let _ = writeln!(text, "{pad}end");
    }

    /// Auxiliary wires of a condition are named after what it decides.
    fn name_after(&mut self, statement: &Stmt) {
        let mut targets = vec![];
        written(statement, &mut targets);
        if let Some(first) = targets.first() {
            self.subject = self.nets[*first].name.clone();
        }
    }

    /// A name for an expression that must be cut or repeated.
    fn named(&mut self, e: &Expr) -> String {
        match &e.op {
            Op::Net(net) => self.nets[*net].name.clone(),
            _ => {
                let value = strip(self.expr(e));
                let name = self.fresh();
                let signed = matches!(e.ty, Ty::Int(_));
                let _ = writeln!(self.auxiliary, "    wire {}{name} = {value};", range(e.width(), signed));
                name
            }
        }
    }

    fn fresh(&mut self) -> String {
        let mut number = 0;
        loop {
            let name = format!("{}_part{number}", self.subject);
            if self.names.insert(name.clone()) {
                return name;
            }
            number += 1;
        }
    }

    /// Text whose self-determined width is the width of the expression's type.
    fn expr(&mut self, e: &Expr) -> String {
        let width = e.width();
        match &e.op {
            Op::Net(net) => self.nets[*net].name.clone(),
            Op::Number(value) => {
                let signed = matches!(e.ty, Ty::Int(_));
                literal(*value, width, signed)
            }
            Op::Variant(name, value) => {
                self.labels.insert(name.clone(), (width, *value));
                name.clone()
            }
            Op::Resize(inner) => self.resize(inner, width),
            Op::Reinterpret(inner) => {
                let cast = if matches!(e.ty, Ty::Int(_)) { "$signed" } else { "$unsigned" };
                format!("{cast}({})", strip(self.expr(inner)))
            }
            Op::Exact(_) => self.refuse("an exact integer where a width is needed"),
            Op::Binary(a, op, b) => {
                let (a, b) = (self.expr(a), self.shift_amount(op, b));
                format!("({a} {} {b})", symbol(op))
            }
            Op::Unary(op, inner) => {
                let inner = self.expr(inner);
                let sign = match op {
                    VerilogOpUnary::Not => "~",
                    VerilogOpUnary::Neg => "-",
                    VerilogOpUnary::All => "&",
                    VerilogOpUnary::Any => "|",
                    VerilogOpUnary::Xor => "^",
                };
                format!("({sign}{inner})")
            }
            Op::Slice(inner, offset) => self.slice(inner, offset, width),
            Op::ReplaceBit(inner, index, value) => {
                let (inner, index, value) = (self.expr(inner), self.amount(index), self.expr(value));
                let one = literal(1, width, false);
                let wide = if width == 1 { value } else { format!("{{{}'d0, {value}}}", width - 1) };
                format!("(({inner} & ~({one} << {index})) | ({wide} << {index}))")
            }
            Op::Pick(nets, index) => self.pick(nets, index, e),
        }
    }

    /// The right side: a shift amount is self-determined, everything else has the width of the left.
    fn shift_amount(&mut self, op: &VerilogOp, b: &Expr) -> String {
        if matches!(op, VerilogOp::Shl | VerilogOp::Shr) { self.amount(b) } else { self.expr(b) }
    }

    /// A shift amount or bit number: self-determined, so a plain number needs no width.
    fn amount(&mut self, e: &Expr) -> String {
        match (&e.op, e.ty) {
            (Op::Number(value), Ty::Number) => value.to_string(),
            _ => self.expr(e),
        }
    }

    fn resize(&mut self, inner: &Expr, width: usize) -> String {
        let from = inner.width();
        if width > from {
            let text = strip(self.expr(inner));
            format!("{{{}'d0, {text}}}", width - from)
        } else {
            let name = self.named(inner);
            bits(&name, 0, width, from)
        }
    }

    fn slice(&mut self, inner: &Expr, offset: &Expr, width: usize) -> String {
        let from = inner.width();
        if let Op::Number(low) = offset.op {
            let name = self.named(inner);
            return bits(&name, low as usize, width, from);
        }
        // Rust gives zeros beyond the end; an indexed part select would give x.
        let text = self.expr(inner);
        let offset = self.expr(offset);
        let name = self.fresh();
        let _ = writeln!(self.auxiliary, "    wire {}{name} = {text} >> {offset};", range(from, false));
        bits(&name, 0, width, from)
    }

    /// A multiplexer over a list: a process of its own.
    fn pick(&mut self, nets: &[NetId], index: &Expr, e: &Expr) -> String {
        let selector = strip(self.expr(index));
        let name = self.fresh();
        let signed = matches!(e.ty, Ty::Int(_));
        let _ = writeln!(self.auxiliary, "    reg  {}{name};", range(e.width(), signed));
        let _ = writeln!(self.auxiliary, "    always @(*) begin\n        case ({selector})");
        let reachable = nets.len().min(1usize << index.width().min(30));
        for (at, net) in nets.iter().take(reachable).enumerate() {
            let label =
                if at + 1 == reachable { "default".to_owned() } else { literal(at as i128, index.width(), false) };
            let _ = writeln!(self.auxiliary, "            {label}: {name} = {};", self.nets[*net].name);
        }
        let _ = writeln!(self.auxiliary, "        endcase\n    end");
        name
    }

    /// Exact arithmetic modulo 2^width: every operand is brought to `width` first, which changes nothing below bit `width`.
    fn wide(&mut self, e: &Expr, width: usize) -> String {
        match &e.op {
            Op::Binary(a, op, b) if e.ty == Ty::Wide => {
                let (a, b) = (self.wide(a, width), self.wide(b, width));
                format!("({a} {} {b})", symbol(op))
            }
            Op::Unary(VerilogOpUnary::Neg, inner) if e.ty == Ty::Wide => format!("(-{})", self.wide(inner, width)),
            Op::Exact(inner) => self.wide(inner, width),
            Op::Number(value) => {
                let value = value & ((1i128 << width) - 1);
                let half = 1i128 << (width - 1);
                let value = if value >= half { value - 2 * half } else { value };
                literal(value, width, true)
            }
            _ => {
                let from = e.width();
                if from == width {
                    return self.expr(e);
                }
                let name = self.named(e);
                if from > width {
                    format!("$signed({})", bits(&name, 0, width, from))
                } else {
                    format!("$signed({{{{{}{{{}}}}}, {name}}})", width - from, bits(&name, from - 1, 1, from))
                }
            }
        }
    }

    fn refuse(&mut self, reason: &str) -> String {
        self.error.get_or_insert(EmitError {
            block: self.scope.path.clone(),
            place: self.subject.clone(),
            reason: reason.to_owned(),
        });
        String::new()
    }
}

#[derive(Default)]
struct Aliases {
    direct: BTreeMap<NetId, Connection>,
    skip: BTreeSet<NetId>,
}

enum Connection {
    Net(NetId),
    Text(String),
}

fn symbol(op: &VerilogOp) -> &'static str {
    match op {
        VerilogOp::Add => "+",
        VerilogOp::Sub => "-",
        VerilogOp::Mul => "*",
        VerilogOp::LogicalAnd => "&&",
        VerilogOp::LogicalOr => "||",
        VerilogOp::BitXor => "^",
        VerilogOp::BitAnd => "&",
        VerilogOp::BitOr => "|",
        VerilogOp::Shl => "<<",
        VerilogOp::Shr => ">>",
        VerilogOp::Eq => "==",
        VerilogOp::Lt => "<",
        VerilogOp::Le => "<=",
        VerilogOp::Ne => "!=",
        VerilogOp::Ge => ">=",
        VerilogOp::Gt => ">",
    }
}

fn bits(name: &str, low: usize, width: usize, from: usize) -> String {
    if from == 1 || (low == 0 && width == from) {
        name.to_owned()
    } else if width == 1 {
        format!("{name}[{low}]")
    } else {
        format!("{name}[{}:{low}]", low + width - 1)
    }
}

/// Removes one pair of parentheses that encloses the whole text.
fn strip(text: String) -> String {
    if !(text.starts_with('(') && text.ends_with(')')) {
        return text;
    }
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 && at + 1 < text.len() {
            return text;
        }
    }
    text[1..text.len() - 1].to_owned()
}

fn negate(test: Expr) -> Expr {
    Expr { op: Op::Unary(VerilogOpUnary::Not, Box::new(test)), ty: Ty::Bits(1) }
}

/// Replaces whole identifiers.
fn rename(line: &str, names: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in line.chars().chain(std::iter::once('\0')) {
        if c.is_ascii_alphanumeric() || c == '_' || c == '$' {
            word.push(c);
            continue;
        }
        out.push_str(names.get(&word).unwrap_or(&word));
        word.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

/// The text of a leaf module; a line `// reg: a, b` right after the title names the outputs that its processes assign.
fn custom_body(text: &str, assigned: &mut dyn FnMut(&str)) -> String {
    let mut out = String::new();
    for (number, line) in text.trim_end().lines().enumerate() {
        if number == 0 && line.starts_with("// ") {
            continue;
        }
        if let Some(names) = line.strip_prefix("// reg: ") {
            names.split(", ").for_each(&mut *assigned);
            continue;
        }
        let _ = writeln!(out, "    {line}");
    }
    out
}
