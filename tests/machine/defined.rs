// SPDX-License-Identifier: Apache-2.0
//! Of which programs the instruction set says what they do: the rule by which the campaign judges a flipped program.

use isa::check::Problem::*;
use isa::{Buffer, Config, FixTarget, Inst, Instruction};
use model::{Outcome, Run};

/// The instructions up to the first one that decode refuses.
pub fn decoded(words: &[[u32; 8]]) -> Vec<Inst> {
    words.iter().map_while(|words| Inst::decode_words(words).ok()).collect()
}

/// The program up to its end, with addresses in place of base registers, which the checker takes for disjoint memories.
pub fn resolved(program: &[Inst], run: &Run) -> Vec<Inst> {
    let end = program.iter().position(|inst| inst.op == Instruction::End).map_or(program.len(), |end| end + 1);
    let mut program = program[..end].to_vec();
    for inst in &mut program {
        let gm = match &mut inst.op {
            Instruction::Mte2Load(op) => &mut op.gm,
            Instruction::Mte3Store(op) => &mut op.gm,
            Instruction::FixStore(op) => match &mut op.dst {
                FixTarget::Gm(gm) => gm,
                _ => continue,
            },
            _ => continue,
        };
        let address = run.bases[usize::from(gm.base)] + gm.offset;
        if address < 1 << 40 {
            (gm.base, gm.offset) = (0, address);
        }
    }
    program
}

/// True if the instruction set does not say how the program ends or what it leaves; `outcome` is what the model makes of it.
///
/// That is what the checker finds unordered, or dependent on time, or without a defined value. What it finds wrong otherwise ends with
/// one certain fault.
pub fn is_undefined(words: &[[u32; 8]], run: &Run, config: &Config, outcome: &Outcome) -> bool {
    let program = decoded(words);
    let refused = program.len() < words.len() && !program.iter().any(|inst| inst.op == Instruction::End);
    let mut program = resolved(&program, run);
    if refused {
        // Decode stops it there; what stands before runs, and races, as if the program ended.
        program.push(Instruction::End.into());
    }
    let Err(findings) = isa::check(&program, config) else { return false };
    let done = matches!(outcome, Outcome::Done(_));
    findings.iter().any(|finding| match finding.problem {
        // What is read, whether a counter overflows: depends on time.
        Unordered { .. } | MixedFlag { .. } | FlagOverflow { .. } => true,
        // A scale or zero point that may or may not be legal.
        NeverWritten { buffer: Buffer::Fb(_), .. } => true,
        // What is read is not defined; but with full bits clear nothing is read, and the program stops, which is.
        SelfOverlap { .. } | NeverWritten { .. } | WrongShape { .. } => done,
        _ => false,
    })
}
