// SPDX-License-Identifier: Apache-2.0
//! A part of a hierarchy.

use super::sink::scope;
use vcd::{Scope, ScopeItem};

/// Scopes that an error names at most.
const NAMED: usize = 24;

/// What `items` keep if only the scope `path`, `depth` levels deep, is wanted; the scopes around it stay, empty.
///
/// # Errors
/// A sentence with the scopes that are there, if that one is not.
pub(crate) fn chosen(items: &[ScopeItem], path: &str, depth: Option<u32>) -> Result<Vec<ScopeItem>, String> {
    let wanted: Vec<&str> = path.split('.').collect();
    // From the root, or from a scope on the way to the top module, each of which is alone in its place.
    let mut before: Vec<&str> = Vec::new();
    let mut level = items;
    let mut nearest = None;
    loop {
        let found = depth_found(level, &wanted);
        if found == wanted.len() {
            let names: Vec<&str> = before.iter().chain(&wanted).copied().collect();
            return Ok(vec![only(level_of(items, &names), &names, depth)]);
        }
        // The longest match tells best what was meant; with none, what the top module has.
        if nearest.as_ref().is_none_or(|(most, _)| found >= *most) {
            let names: Vec<&str> = before.iter().chain(&wanted[..found]).copied().collect();
            nearest = Some((found, names));
        }
        let mut scopes = scopes(level);
        match (scopes.next(), scopes.next()) {
            (Some(alone), None) if before.len() < 2 => {
                before.push(&alone.identifier);
                level = &alone.items;
            }
            _ => break,
        }
    }
    let (found, names) = nearest.unwrap_or_default();
    Err(absent(items, &names, wanted[found]))
}

/// The items of all of the scopes with these names down to the last, and their scope.
fn level_of<'a>(items: &'a [ScopeItem], names: &[&str]) -> Option<&'a Scope> {
    let mut level = items;
    let mut last = None;
    for name in names {
        let scope = scopes(level).find(|scope| scope.identifier == *name)?;
        level = &scope.items;
        last = Some(scope);
    }
    last
}

/// How many of the names lead from scope to scope.
fn depth_found(items: &[ScopeItem], names: &[&str]) -> usize {
    (0..=names.len()).rev().find(|&count| count == 0 || level_of(items, &names[..count]).is_some()).unwrap_or(0)
}

fn scopes(items: &[ScopeItem]) -> impl Iterator<Item = &Scope> {
    items.iter().filter_map(|item| match item {
        ScopeItem::Scope(scope) => Some(scope),
        _ => None,
    })
}

/// The scope within the scopes around it.
fn only(found: Option<&Scope>, names: &[&str], depth: Option<u32>) -> ScopeItem {
    let inside = found.map_or_else(Vec::new, |found| cut(&found.items, depth));
    let mut item = None;
    for name in names.iter().rev() {
        item = Some(scope(name, item.map_or_else(|| inside.clone(), |item| vec![item])));
    }
    item.unwrap_or_else(|| scope("", inside))
}

/// The items, `depth` levels of scopes deep.
pub(crate) fn cut(items: &[ScopeItem], depth: Option<u32>) -> Vec<ScopeItem> {
    let keep = |item: &ScopeItem| match item {
        ScopeItem::Scope(inner) => match depth {
            Some(0 | 1) => None,
            _ => Some(scope(&inner.identifier, cut(&inner.items, depth.map(|depth| depth - 1)))),
        },
        ScopeItem::Var(_) => Some(item.clone()),
        _ => None,
    };
    items.iter().filter_map(keep).collect()
}

fn absent(items: &[ScopeItem], names: &[&str], missing: &str) -> String {
    let level = level_of(items, names).map_or(items, |scope| &scope.items);
    let mut there: Vec<&str> = scopes(level).map(|scope| scope.identifier.as_str()).collect();
    there.sort_unstable();
    let place = if names.is_empty() { "the design".to_owned() } else { format!("`{}`", names.join(".")) };
    if there.is_empty() {
        return format!("there is no scope `{missing}` in {place}, which has none");
    }
    let more = if there.len() > NAMED { ", .." } else { "" };
    there.truncate(NAMED);
    format!("there is no scope `{missing}` in {place}; there are {}{more}", there.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vcd::{IdCode, Var, VarType};

    fn var(name: &str) -> ScopeItem {
        ScopeItem::Var(Var::new(VarType::Wire, 1, IdCode::FIRST, name.to_owned(), None))
    }

    fn design() -> Vec<ScopeItem> {
        let step = scope("step", vec![var("go"), scope("dff", vec![var("q")])]);
        let m = scope("m", vec![var("clk"), step]);
        let quader = scope("quader", vec![var("rst"), m, scope("fix", vec![var("busy")])]);
        vec![scope("TOP", vec![var("rst"), quader])]
    }

    fn paths(items: &[ScopeItem], before: &str) -> Vec<String> {
        let each = |item: &ScopeItem| match item {
            ScopeItem::Scope(scope) => paths(&scope.items, &format!("{before}{}.", scope.identifier)),
            ScopeItem::Var(var) => vec![format!("{before}{}", var.reference)],
            _ => vec![],
        };
        items.iter().flat_map(each).collect()
    }

    fn of(path: &str, depth: Option<u32>) -> Result<Vec<String>, String> {
        chosen(&design(), path, depth).map(|items| paths(&items, ""))
    }

    #[test]
    fn a_scope_is_found_from_the_root_and_from_the_top_module() {
        let all = ["TOP.quader.m.clk", "TOP.quader.m.step.go", "TOP.quader.m.step.dff.q"].map(str::to_owned).to_vec();
        for path in ["m", "quader.m", "TOP.quader.m"] {
            assert_eq!(of(path, None), Ok(all.clone()), "{path}");
            assert_eq!(of(path, Some(2)), Ok(all[..2].to_vec()), "{path}");
            assert_eq!(of(path, Some(1)), Ok(all[..1].to_vec()), "{path}");
        }
        assert_eq!(paths(&cut(&design(), Some(2)), ""), ["TOP.rst"]);
    }

    #[test]
    fn an_absent_scope_is_told_with_those_beside_it() {
        let told = |path| of(path, None).expect_err("absent");
        assert_eq!(told("m.stop"), "there is no scope `stop` in `TOP.quader.m`; there are step");
        assert_eq!(told("mm"), "there is no scope `mm` in `TOP.quader`; there are fix, m");
        assert_eq!(told("TOP.quader.m.step.dff.x"), "there is no scope `x` in `TOP.quader.m.step.dff`, which has none");
    }
}
