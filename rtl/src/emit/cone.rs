// SPDX-License-Identifier: Apache-2.0
//! Cuts a kernel into processes, and checks that its signals are wires.
//!
//! A kernel runs from top to bottom; a process per target sees final values only. The two agree when no signal is read before its
//! last assignment and every signal is assigned on every path. Both are checked here.

use super::EmitError;
use super::ir::{Expr, Lowered, NetId, Role, Stmt};
use super::tree::{Scope, inline_text};
use std::collections::BTreeMap;

/// Statements that drive `targets` and nothing else.
pub(crate) struct Process {
    pub targets: Vec<NetId>,
    pub body: Vec<Stmt>,
}

/// Cuts the kernel of `scope`.
pub(crate) fn cut(scope: &Scope, lowered: &Lowered) -> Result<Vec<Process>, EmitError> {
    check_order(scope, lowered)?;
    let mut group: BTreeMap<NetId, NetId> = BTreeMap::new();
    let mut order: Vec<NetId> = vec![];
    for statement in &lowered.body {
        let mut targets = vec![];
        written(statement, &mut targets);
        for &target in &targets {
            group.entry(target).or_insert_with(|| {
                order.push(target);
                target
            });
        }
        if !matches!(statement, Stmt::Assign(..)) {
            let mut registers = targets.iter().filter(|t| ends_in_register(scope, lowered, **t));
            if let Some(&first) = registers.next() {
                for &other in registers {
                    merge(&mut group, first, other);
                }
            }
        }
    }
    let mut processes: Vec<Process> = vec![];
    let mut by_root: BTreeMap<NetId, usize> = BTreeMap::new();
    for target in order {
        let root = find(&group, target);
        let at = *by_root.entry(root).or_insert_with(|| {
            processes.push(Process { targets: vec![], body: vec![] });
            processes.len() - 1
        });
        processes[at].targets.push(target);
    }
    // One pass over the kernel for all single-statement targets keeps a large array linear.
    let owner: BTreeMap<NetId, usize> =
        processes.iter().enumerate().flat_map(|(at, process)| process.targets.iter().map(move |t| (*t, at))).collect();
    for statement in &lowered.body {
        let mut targets = vec![];
        written(statement, &mut targets);
        let mut owners: Vec<usize> = targets.iter().map(|t| owner[t]).collect();
        owners.sort_unstable();
        owners.dedup();
        for at in owners {
            let keep = |net: NetId| owner[&net] == at;
            if let Some(statement) = project(statement, &keep) {
                processes[at].body.push(statement);
            }
        }
    }
    for process in &processes {
        for &target in &process.targets {
            if !covers(&process.body, target) {
                return Err(refuse(
                    scope,
                    lowered,
                    target,
                    "it is not assigned on every path, which would be a latch; give it a default first",
                ));
            }
        }
    }
    check_driven(scope, lowered, &owner)?;
    Ok(processes)
}

fn refuse(scope: &Scope, lowered: &Lowered, net: NetId, reason: &str) -> EmitError {
    EmitError { block: scope.path.clone(), place: lowered.nets[net].name.clone(), reason: reason.to_owned() }
}

/// Inputs of registers cannot be part of a combinational loop.
fn ends_in_register(scope: &Scope, lowered: &Lowered, net: NetId) -> bool {
    match &lowered.nets[net].role {
        Role::ToChild { child, .. } => inline_text(&scope.children[*child].hdl).is_some(),
        _ => false,
    }
}

fn find(group: &BTreeMap<NetId, NetId>, mut net: NetId) -> NetId {
    while group[&net] != net {
        net = group[&net];
    }
    net
}

fn merge(group: &mut BTreeMap<NetId, NetId>, a: NetId, b: NetId) {
    let (a, b) = (find(group, a), find(group, b));
    group.insert(a.max(b), a.min(b));
}

/// Every net that a statement assigns.
pub(crate) fn written(statement: &Stmt, out: &mut Vec<NetId>) {
    match statement {
        Stmt::Assign(net, _) => out.push(*net),
        Stmt::If(_, then, otherwise) => {
            then.iter().chain(otherwise).for_each(|s| written(s, out));
        }
        Stmt::Case(_, arms, default) => {
            let arms = arms.iter().map(|(_, body)| body).chain(default);
            arms.flatten().for_each(|s| written(s, out));
        }
    }
}

/// The part of a statement that assigns nets of interest.
fn project(statement: &Stmt, keep: &dyn Fn(NetId) -> bool) -> Option<Stmt> {
    let all = |body: &Vec<Stmt>| -> Vec<Stmt> { body.iter().filter_map(|s| project(s, keep)).collect() };
    match statement {
        Stmt::Assign(net, _) => keep(*net).then(|| statement.clone()),
        Stmt::If(test, then, otherwise) => {
            let (then, otherwise) = (all(then), all(otherwise));
            (!then.is_empty() || !otherwise.is_empty()).then(|| Stmt::If(test.clone(), then, otherwise))
        }
        Stmt::Case(test, arms, default) => {
            let arms: Vec<_> = arms.iter().map(|(label, body)| (label.clone(), all(body))).collect();
            let default = default.as_ref().map(all);
            let empty = arms.iter().all(|(_, body)| body.is_empty()) && default.as_ref().is_none_or(Vec::is_empty);
            (!empty).then(|| Stmt::Case(test.clone(), arms, default))
        }
    }
}

/// True when every path through `body` assigns `net`.
fn covers(body: &[Stmt], net: NetId) -> bool {
    body.iter().any(|statement| match statement {
        Stmt::Assign(target, _) => *target == net,
        Stmt::If(_, then, otherwise) => covers(then, net) && covers(otherwise, net),
        // Rust's own check makes a match without `_` exhaustive.
        Stmt::Case(_, arms, default) => {
            arms.iter().all(|(_, body)| covers(body, net)) && default.as_ref().is_none_or(|body| covers(body, net))
        }
    })
}

#[derive(Default)]
struct Order {
    clock: usize,
    last_write: BTreeMap<NetId, usize>,
    first_read: BTreeMap<NetId, usize>,
}

impl Order {
    fn read(&mut self, expression: &Expr) {
        self.clock += 1;
        let now = self.clock;
        expression.reads(&mut |net| {
            self.first_read.entry(net).or_insert(now);
        });
    }

    fn walk(&mut self, body: &[Stmt]) {
        for statement in body {
            match statement {
                Stmt::Assign(net, value) => {
                    self.read(value);
                    self.clock += 1;
                    self.last_write.insert(*net, self.clock);
                }
                Stmt::If(test, then, otherwise) => {
                    self.read(test);
                    self.walk(then);
                    self.walk(otherwise);
                }
                Stmt::Case(test, arms, default) => {
                    self.read(test);
                    arms.iter().for_each(|(_, body)| self.walk(body));
                    default.iter().for_each(|body| self.walk(body));
                }
            }
        }
    }
}

fn check_order(scope: &Scope, lowered: &Lowered) -> Result<(), EmitError> {
    let mut order = Order::default();
    order.walk(&lowered.body);
    for (net, read) in &order.first_read {
        if order.last_write.get(net).is_some_and(|write| write > read) {
            return Err(refuse(
                scope,
                lowered,
                *net,
                "it is read before its last assignment, so Rust and the wire would differ; assign it fully before it is read",
            ));
        }
    }
    Ok(())
}

/// Outputs and child inputs that nobody drives are mistakes.
fn check_driven(scope: &Scope, lowered: &Lowered, owner: &BTreeMap<NetId, usize>) -> Result<(), EmitError> {
    if lowered.custom.is_some() {
        return Ok(());
    }
    for (id, net) in lowered.nets.iter().enumerate() {
        if matches!(net.role, Role::Output | Role::ToChild { .. }) && !owner.contains_key(&id) {
            return Err(refuse(scope, lowered, id, "nothing drives it"));
        }
    }
    Ok(())
}
