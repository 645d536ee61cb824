// SPDX-License-Identifier: Apache-2.0
//! Writes 1,000 random expression trees of depth up to 6 as ordinary Rust-HDL kernels.
//!
//! `QUADER_SEED` chooses others. Every operator, cast, slice and reduction of the language occurs, with as few parentheses as Rust needs
//! in half of the places, so that precedence is tested too.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;

const BLOCKS: usize = 25;
const PER_BLOCK: usize = 40;
const DEPTH: u32 = 6;
/// Unsigned inputs: name and width.
const BITS: &[(&str, usize)] = &[
    ("a", 8),
    ("b", 8),
    ("c", 8),
    ("d", 5),
    ("e", 16),
    ("f", 16),
    ("g", 13),
    ("h", 32),
    ("k", 32),
    ("m", 40),
    ("n", 40),
];
const FLAGS: &[&str] = &["p", "q", "r"];
const INTS: &[(&str, usize)] = &[("s", 8), ("t", 8), ("u", 12), ("v", 9)];
const WIDTHS: &[usize] = &[5, 8, 13, 16, 32, 40];

struct Maker(ChaCha8Rng);

/// Text and binding strength: 9 for what needs no parentheses.
type Text = (String, u8);

impl Maker {
    fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    fn flip(&mut self) -> bool {
        self.0.next_u32() & 1 == 1
    }

    /// Puts parentheses where Rust needs them, and in some places where it does not.
    fn inside(&mut self, (text, binds): Text, needs: u8) -> String {
        if binds < needs || (binds < 9 && self.flip()) { format!("({text})") } else { text }
    }

    fn binary(&mut self, left: Text, op: &str, binds: u8, right: Text) -> Text {
        let left = self.inside(left, binds);
        let right = self.inside(right, binds + 1);
        (format!("{left} {op} {right}"), binds)
    }

    fn signal(&mut self, width: usize) -> Option<Text> {
        let all: Vec<_> = BITS.iter().filter(|(_, w)| *w == width).collect();
        if all.is_empty() {
            return None;
        }
        Some((format!("self.{}.val()", self.pick(&all).0), 9))
    }

    fn bits(&mut self, width: usize, depth: u32) -> Text {
        if depth == 0 {
            return match self.signal(width) {
                Some(text) if self.below(5) > 0 => text,
                _ => {
                    let value = self.0.next_u64() & ((1u64 << width) - 1);
                    (format!("bits::<{width}>({value}_u64)"), 9)
                }
            };
        }
        let d = depth - 1;
        match self.below(13) {
            0..=4 => {
                let (op, binds) = *self.pick(&[("+", 7), ("-", 7), ("&", 5), ("|", 3), ("^", 4)]);
                let left = self.bits(width, d);
                let right = self.bits(width, d);
                self.binary(left, op, binds, right)
            }
            5 => {
                let (op, binds) = *self.pick(&[("+", 7), ("-", 7), ("&", 5)]);
                let left = self.bits(width, d);
                let value = self.below(1 << width.min(7));
                self.binary(left, op, binds, (value.to_string(), 9))
            }
            6 => {
                let inner = self.bits(width, d);
                let inner = self.inside(inner, 8);
                (format!("!{inner}"), 8)
            }
            7 => {
                let op = *self.pick(&["<<", ">>"]);
                let left = self.bits(width, d);
                let by = self.below(width);
                self.binary(left, op, 6, (by.to_string(), 9))
            }
            8 => {
                let op = *self.pick(&["<<", ">>"]);
                let left = self.bits(width, d);
                self.binary(left, op, 6, ("self.sel.val()".into(), 9))
            }
            9 => {
                let from = *self.pick(WIDTHS);
                let inner = self.bits(from, d);
                (format!("bit_cast::<{width}, {from}>({})", inner.0), 9)
            }
            10 => {
                let wider: Vec<usize> = WIDTHS.iter().copied().filter(|w| *w > width).collect();
                if wider.is_empty() {
                    return self.bits(width, d);
                }
                let from = *self.pick(&wider);
                let inner = self.bits(from, d);
                let inner = self.inside(inner, 9);
                if self.flip() {
                    let at = self.below(from - width + 1);
                    (format!("{inner}.get_bits::<{width}>({at})"), 9)
                } else {
                    (format!("{inner}.get_bits::<{width}>(self.sel.val().index())"), 9)
                }
            }
            11 => {
                let inner = self.bits(width, d);
                let inner = self.inside(inner, 9);
                let at = self.below(width);
                let value = self.flag(d);
                (format!("{inner}.replace_bit({at}, {})", value.0), 9)
            }
            _ if width == 8 && self.flip() => match self.below(2) {
                0 => ("self.lane[self.sel.val().index()].val()".into(), 9),
                _ => (format!("unsigned_cast_int(self.{}.val())", self.pick(&["s", "t"])), 9),
            },
            _ => {
                let left = self.bits(width, d);
                let right = self.flag(d);
                let right = (format!("bit_cast::<{width}, 1>({}.into())", self.inside(right, 9)), 9);
                self.binary(left, "+", 7, right)
            }
        }
    }

    fn flag(&mut self, depth: u32) -> Text {
        if depth == 0 {
            return (format!("self.{}.val()", self.pick(FLAGS)), 9);
        }
        let d = depth - 1;
        match self.below(9) {
            0 | 1 => {
                let width = *self.pick(WIDTHS);
                let op = *self.pick(&["==", "!=", "<", "<=", ">", ">="]);
                // A comparison with a constant 0 would be constant itself, which the linter rightly remarks: one side is a plain signal.
                let left = self.bits(width, d);
                let left = (self.inside(left, 3), 9);
                let right = self.signal(width).unwrap_or_else(|| self.bits(width, 0));
                self.binary(left, op, 2, right)
            }
            2 => {
                let width = *self.pick(WIDTHS);
                let op = *self.pick(&["==", "!=", "<", ">="]);
                let left = self.bits(width, d);
                // A comparison with 0 can be constant, which the linter rightly remarks.
                let value = 1 + self.below((1 << width.min(7)) - 2);
                self.binary(left, op, 2, (value.to_string(), 9))
            }
            3 => {
                let op = *self.pick(&["==", "!=", "<", "<=", ">", ">="]);
                let right = *self.pick(&["self.t.val()", "signed_cast_int(self.a.val())", "(-3).into()", "100.into()"]);
                self.binary(("self.s.val()".into(), 9), op, 2, (right.into(), 9))
            }
            4 => {
                let (op, binds) = *self.pick(&[("&", 5), ("|", 3), ("^", 4)]);
                let left = self.flag(d);
                let right = self.flag(d);
                self.binary(left, op, binds, right)
            }
            5 => {
                let (op, binds) = *self.pick(&[("&&", 1), ("||", 0)]);
                let left = self.flag(d);
                let right = self.flag(d);
                self.binary(left, op, binds, right)
            }
            6 => {
                let inner = self.flag(d);
                let inner = self.inside(inner, 8);
                (format!("!{inner}"), 8)
            }
            7 => {
                let width = *self.pick(WIDTHS);
                let inner = self.bits(width, d);
                let inner = self.inside(inner, 9);
                let method = *self.pick(&["any", "all", "xor"]);
                (format!("{inner}.{method}()"), 9)
            }
            _ => {
                let inner = self.bits(8, d);
                let inner = self.inside(inner, 9);
                if self.flip() {
                    (format!("{inner}.get_bit(self.sel.val().index())"), 9)
                } else {
                    (format!("{inner}.get_bit({})", self.below(8)), 9)
                }
            }
        }
    }

    /// Exact arithmetic; kept so shallow that i128 holds it.
    fn wide(&mut self, depth: u32) -> Text {
        if depth == 0 || self.below(6) == 0 {
            let (name, width) = *self.pick(INTS);
            return match self.below(4) {
                0 => ("signed_cast_int(self.e.val())".into(), 9),
                1 => (format!("signed_cast_int(self.{}.val() + self.c.val())", self.pick(&["a", "b"])), 9),
                2 => (format!("-self.{name}.val()"), 8),
                _ => {
                    let _ = width;
                    (format!("self.{name}.val()"), 9)
                }
            };
        }
        let (op, binds) = *self.pick(&[("+", 6), ("-", 6), ("*", 7)]);
        let left = self.wide(depth - 1);
        let right = self.wide(depth - 1);
        self.binary(left, op, binds, right)
    }
}

fn main() {
    println!("cargo::rerun-if-env-changed=QUADER_SEED");
    println!("cargo::rerun-if-changed=build.rs");
    let seed = std::env::var("QUADER_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(2026);
    let mut maker = Maker(ChaCha8Rng::seed_from_u64(seed));
    let mut text = String::new();
    let ports = |direction: &str| -> String {
        let mut ports = String::new();
        for (name, width) in BITS {
            let _ = writeln!(ports, "    pub {name}: Signal<{direction}, Bits<{width}>>,");
        }
        for name in FLAGS {
            let _ = writeln!(ports, "    pub {name}: Signal<{direction}, Bit>,");
        }
        for (name, width) in INTS {
            let _ = writeln!(ports, "    pub {name}: Signal<{direction}, Int<{width}>>,");
        }
        let _ = writeln!(ports, "    pub sel: Signal<{direction}, Bits<3>>,");
        let _ = writeln!(ports, "    pub lane: [Signal<{direction}, Bits<8>>; 8],");
        ports
    };
    let mut names: Vec<&str> = BITS.iter().chain(INTS).map(|(name, _)| *name).collect();
    names.extend(FLAGS);
    names.push("sel");
    for block in 0..BLOCKS {
        let (mut outputs, mut body) = (String::new(), String::new());
        for at in 0..PER_BLOCK {
            let (ty, value) = match maker.below(8) {
                0 | 1 => ("Bit".to_owned(), maker.flag(DEPTH).0),
                2 => {
                    // A sum and a product of different widths, cut to a third one.
                    let width = *maker.pick(&[7, 12, 20, 33, 48]);
                    let value = match maker.below(4) {
                        0 => format!("signed_cast_ext::<{width}, 8>(self.s.val())"),
                        _ => {
                            let left = maker.wide(3);
                            let right = ("self.u.val()".to_owned(), 9);
                            let sum = maker.binary(left, "+", 6, right);
                            format!("({}).into()", sum.0)
                        }
                    };
                    (format!("Int<{width}>"), value)
                }
                _ => {
                    let width = *maker.pick(WIDTHS);
                    (format!("Bits<{width}>"), maker.bits(width, DEPTH).0)
                }
            };
            let _ = writeln!(outputs, "    pub y{at}: Signal<Out, {ty}>,");
            let _ = writeln!(body, "        self.y{at}.next = {value};");
        }
        let _ = write!(
            text,
            "/// Random expressions.\n#[derive(LogicBlock, Default)]\n#[allow(missing_docs)]\npub struct Trees{block} {{\n{}{outputs}}}\n\
             impl Logic for Trees{block} {{\n    #[hdl_gen]\n    fn update(&mut self) {{\n        comment!(\"trees_{block}: random expressions.\");\n{body}    }}\n}}\n",
            ports("In")
        );
    }
    let _ = write!(
        text,
        "/// All of them side by side.\n#[derive(LogicBlock, Default)]\n#[allow(missing_docs)]\npub struct Forest {{\n{}",
        ports("In")
    );
    let mut body = String::new();
    let mut outputs = String::new();
    for block in 0..BLOCKS {
        let _ = writeln!(text, "    trees{block}: Trees{block},");
        for name in &names {
            let _ = writeln!(body, "        self.trees{block}.{name}.next = self.{name}.val();");
        }
        let _ = writeln!(body, "        for i in 0..8 {{ self.trees{block}.lane[i].next = self.lane[i].val(); }}");
    }
    // The outputs need their types again.
    for block in 0..BLOCKS {
        let start = text.find(&format!("pub struct Trees{block} {{")).expect("written above");
        let end = start + text[start..].find("}\n").expect("written above");
        for at in 0..PER_BLOCK {
            let mark = format!("pub y{at}: Signal<Out, ");
            let from = start + text[start..end].find(&mark).expect("written above") + mark.len();
            let ty = text[from..].split(">,\n").next().expect("written above").to_owned();
            let _ = writeln!(outputs, "    pub y{block}_{at}: Signal<Out, {ty}>,");
            let _ = writeln!(body, "        self.y{block}_{at}.next = self.trees{block}.y{at}.val();");
        }
    }
    let _ = write!(
        text,
        "{outputs}}}\nimpl Logic for Forest {{\n    #[hdl_gen]\n    fn update(&mut self) {{\n        comment!(\"forest: random expressions side by side.\");\n{body}    }}\n}}\n"
    );
    let _ = write!(
        text,
        "/// Seed that the expressions were made from.\npub const SEED: u64 = {seed};\n/// How many there are.\npub const COUNT: usize = {};\n",
        BLOCKS * PER_BLOCK
    );
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(format!("{out}/trees.rs"), text).expect("OUT_DIR can be written");
}
