// SPDX-License-Identifier: Apache-2.0
//! The commands of the debugger: their words, and what they mean.

use super::matrix::Wanted;
use super::place::{Place, number};
use host::{Access, Breakpoint};
use isa::limits::FLAG_IDS;
use isa::{Flag, Pipe};
use std::path::PathBuf;

/// One command: name, short form, operands, what it does.
pub struct Entry {
    /// The word.
    pub name: &'static str,
    /// The short word, or nothing.
    pub short: &'static str,
    /// Its operands, as help shows them.
    pub operands: &'static str,
    /// What it does.
    pub help: &'static str,
}

const fn entry(name: &'static str, short: &'static str, operands: &'static str, help: &'static str) -> Entry {
    Entry { name, short, operands, help }
}

/// Every command, in the order of the help.
pub const COMMANDS: [Entry; 17] = [
    entry("run", "r", "", "from the beginning to a breakpoint or the end"),
    entry("continue", "c", "", "go on to a breakpoint or the end"),
    entry("step", "s", "[N]", "N cycles, 1 by default, and everything that happens in them"),
    entry("next", "n", "[PIPE]", "until an operation (of PIPE) starts or is finished"),
    entry("back", "", "[N]", "N cycles back, by running again from the beginning"),
    entry("restart", "", "", "stand before the first cycle again"),
    entry("break", "b", "pc PLACE | addr ADDR [read|write] | flag FROM->TO.ID | fault | cycle N", "stop there"),
    entry("delete", "d", "[N]", "forget breakpoint N, or all of them"),
    entry(
        "info",
        "i",
        "[pipes|flags|counters|bus|breaks]",
        "what the core holds and does; without a word all that is not 0",
    ),
    entry("list", "l", "[PLACE] [N]", "the program around PLACE, or around where it is"),
    entry(
        "print",
        "p",
        "l0a|l0b|l0c|l1|ub|gm [ADDR] [ROWSxCOLUMNS] [TYPE] [nz] [stride N] [of PLACE] [row A..B] [col A..B] [all]",
        "a buffer as a matrix; what is not given comes from the instruction at work, or from that at PLACE",
    ),
    entry("print", "p", "fb [CHANNEL] [COUNT] | regs [PIPE]", "parameters of channels; state registers"),
    entry("set", "", "gm ADDR BYTE...", "write bytes of global memory"),
    entry(
        "wave",
        "",
        "FILE.vcd | FILE.fst | off",
        "write every signal from here on, and what every pipe does in words",
    ),
    entry("help", "h", "[COMMAND]", "this"),
    entry("quit", "q", "", "end"),
    entry("exit", "", "", "end"),
];

/// What `info` is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Pipes, flags that are not 0, open bursts.
    All,
    /// Every pipe.
    Pipes,
    /// Flag counters.
    Flags,
    /// Performance counters.
    Counters,
    /// The memory bus.
    Bus,
    /// Breakpoints.
    Breaks,
}

impl Topic {
    /// The words and what they mean.
    pub const ALL: [(&'static str, Topic); 5] = [
        ("pipes", Topic::Pipes),
        ("flags", Topic::Flags),
        ("counters", Topic::Counters),
        ("bus", Topic::Bus),
        ("breaks", Topic::Breaks),
    ];
}

/// A place or event to stop at, before its program counter is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// An instruction.
    At(Place),
    /// Something else.
    When(Breakpoint),
    /// A byte of global memory.
    Address(String, Access),
}

/// A command, understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// From the beginning.
    Run,
    /// On from here.
    Continue,
    /// So many cycles.
    Step(u64),
    /// To the next start or end.
    Next(Option<Pipe>),
    /// So many cycles back.
    Back(u64),
    /// Before the first cycle.
    Restart,
    /// A new breakpoint.
    Break(Stop),
    /// One breakpoint, or all.
    Delete(Option<usize>),
    /// State of the core.
    Info(Topic),
    /// The program.
    List(Option<Place>, usize),
    /// A matrix.
    Print(Wanted),
    /// Channels of FB: the first, how many.
    Parameters(usize, usize),
    /// State registers.
    Registers(Option<Pipe>),
    /// Bytes for global memory.
    Set(String, Vec<u8>),
    /// A waveform.
    Wave(PathBuf),
    /// No waveform any more.
    WaveOff,
    /// Help, on everything or on one command.
    Help(Option<String>),
    /// The end.
    Quit,
}

/// What is wrong with a command, as one sentence.
pub type Refused<T> = std::result::Result<T, String>;

/// Understands a line; nothing in an empty one. `#` at its beginning and `;` anywhere start a comment.
pub fn parse(line: &str) -> Refused<Option<Command>> {
    let line = line.split(';').next().unwrap_or_default().trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let word = words.next().expect("a line that is not empty has a word");
    let name = full_name(word)?;
    let words: Vec<&str> = words.collect();
    let limit = |most: usize| match words.get(most) {
        Some(extra) => Err(format!("`{name}` does not take `{extra}`; {}", usage(name))),
        None => Ok(()),
    };
    let command = match name {
        "run" => limit(0).map(|()| Command::Run)?,
        "continue" => limit(0).map(|()| Command::Continue)?,
        "restart" => limit(0).map(|()| Command::Restart)?,
        "quit" | "exit" => limit(0).map(|()| Command::Quit)?,
        "step" | "back" => {
            limit(1)?;
            let count = words.first().map_or(Ok(1), |word| number(word))?;
            if name == "step" { Command::Step(count) } else { Command::Back(count) }
        }
        "next" => {
            limit(1)?;
            Command::Next(words.first().map(|word| worker(word)).transpose()?)
        }
        "break" => Command::Break(stop(&words)?),
        "delete" => {
            limit(1)?;
            Command::Delete(words.first().map(|word| number(word)).transpose()?.map(|number| number as usize))
        }
        "info" => {
            limit(1)?;
            Command::Info(words.first().map_or(Ok(Topic::All), |word| topic(word))?)
        }
        "list" => {
            limit(2)?;
            let place = words.first().map(|word| Place::parse(word)).transpose()?;
            let count = words.get(1).map_or(Ok(10), |word| number(word))?;
            Command::List(place, count.clamp(1, 100_000) as usize)
        }
        "print" => print(&words)?,
        "set" => set(&words)?,
        "wave" => {
            limit(1)?;
            match words.first() {
                Some(&"off") => Command::WaveOff,
                Some(file) => Command::Wave(PathBuf::from(file)),
                None => return Err(format!("`wave` needs a file; {}", usage(name))),
            }
        }
        _ => {
            limit(1)?;
            Command::Help(words.first().map(|word| full_name(word)).transpose()?.map(str::to_owned))
        }
    };
    Ok(Some(command))
}

/// The command that a word, its short form or its beginning means.
fn full_name(word: &str) -> Refused<&'static str> {
    let exact = COMMANDS.iter().find(|entry| entry.name == word || (!entry.short.is_empty() && entry.short == word));
    if let Some(entry) = exact {
        return Ok(entry.name);
    }
    if word == "?" {
        return Ok("help");
    }
    let mut meant: Vec<&str> = COMMANDS.iter().map(|entry| entry.name).filter(|name| name.starts_with(word)).collect();
    meant.dedup();
    match meant[..] {
        [] => Err(format!("there is no command `{word}`; `help` lists them")),
        [one] => Ok(one),
        _ => Err(format!("`{word}` may mean {}", meant.join(", "))),
    }
}

/// How a command is written.
fn usage(name: &str) -> String {
    let forms = COMMANDS.iter().filter(|entry| entry.name == name);
    let forms: Vec<String> = forms.map(|entry| format!("`{}`", format!("{name} {}", entry.operands).trim())).collect();
    format!("write {}", forms.join(" or "))
}

/// A pipe with a queue.
fn worker(word: &str) -> Refused<Pipe> {
    let pipe = Pipe::from_name(word).filter(|pipe| pipe.worker_index().is_some());
    pipe.ok_or_else(|| {
        format!("`{word}` is no pipe with a queue: they are {}", Pipe::WORKERS.map(Pipe::name).join(", "))
    })
}

fn topic(word: &str) -> Refused<Topic> {
    let mut found = Topic::ALL.into_iter().filter(|(name, _)| name.starts_with(word));
    let known = || Topic::ALL.map(|(name, _)| name).join(", ");
    match (found.next(), found.next()) {
        (Some((_, topic)), None) => Ok(topic),
        (None, _) => Err(format!("there is no `info {word}`: it knows {}", known())),
        _ => Err(format!("`info {word}` may mean several of {}", known())),
    }
}

fn stop(words: &[&str]) -> Refused<Stop> {
    let when = |kind: Breakpoint| Ok(Stop::When(kind));
    match words {
        ["pc", place] => Ok(Stop::At(Place::parse(place)?)),
        ["addr", address] => Ok(Stop::Address((*address).to_owned(), Access::Any)),
        ["addr", address, "read"] => Ok(Stop::Address((*address).to_owned(), Access::Read)),
        ["addr", address, "write"] => Ok(Stop::Address((*address).to_owned(), Access::Write)),
        ["flag", name] => when(Breakpoint::Flag(flag(name)?)),
        ["fault"] => when(Breakpoint::Fault),
        ["cycle", cycle] => when(Breakpoint::Cycle(number(cycle)?)),
        // A place alone is an instruction.
        [place] if Place::parse(place).is_ok() => Ok(Stop::At(Place::parse(place)?)),
        _ => Err(format!("that is no place to stop; {}", usage("break"))),
    }
}

/// `mte1->m.0`.
fn flag(text: &str) -> Refused<Flag> {
    let parts = text.split_once("->").and_then(|(from, rest)| Some((from, rest.split_once('.')?)));
    let found = parts.and_then(|(from, (to, id))| {
        Some(Flag { from: Pipe::from_name(from)?, to: Pipe::from_name(to)?, id: id.parse().ok()? })
    });
    found.filter(|flag| flag.index().is_some()).ok_or_else(|| {
        format!(
            "`{text}` is no flag: write FROM->TO.ID with two different pipes and an id below {FLAG_IDS}, as `mte1->m.0`"
        )
    })
}

fn print(words: &[&str]) -> Refused<Command> {
    let count = |word: Option<&&str>, otherwise| word.map_or(Ok(otherwise), |word| number(word)).map(|n| n as usize);
    match words {
        ["fb", rest @ ..] if rest.len() <= 2 => {
            Ok(Command::Parameters(count(rest.first(), 0)?, count(rest.get(1), 16)?))
        }
        ["regs"] => Ok(Command::Registers(None)),
        ["regs", pipe] => Ok(Command::Registers(Some(worker(pipe)?))),
        ["fb" | "regs", ..] | [] => Err(format!("that cannot be printed; {}", usage("print"))),
        [buffer, rest @ ..] => Ok(Command::Print(Wanted::parse(buffer, rest)?)),
    }
}

fn set(words: &[&str]) -> Refused<Command> {
    let ["gm", address, bytes @ ..] = words else {
        return Err(format!("only global memory can be set; {}", usage("set")));
    };
    if bytes.is_empty() {
        return Err(format!("`set` needs bytes; {}", usage("set")));
    }
    let byte = |word: &&str| {
        let value = word.parse::<i16>().ok().or_else(|| number(word).ok().and_then(|value| value.try_into().ok()));
        let value = value.filter(|value| (-128..=255).contains(value));
        value.map(|value| value as u8).ok_or_else(|| format!("`{word}` is no byte: give -128 to 255"))
    };
    Ok(Command::Set((*address).to_owned(), bytes.iter().map(byte).collect::<Refused<_>>()?))
}

/// The help on everything, or on one command.
pub fn help(name: Option<&str>) -> String {
    let mut text = String::new();
    for entry in COMMANDS.iter().filter(|entry| entry.name != "exit") {
        if name.is_some_and(|name| name != entry.name) {
            continue;
        }
        let short = if entry.short.is_empty() { String::new() } else { format!(" ({})", entry.short) };
        let head = format!("{}{short} {}", entry.name, entry.operands);
        text.push_str(&format!("  {}\n        {}\n", head.trim_end(), entry.help));
    }
    if name.is_none() {
        text.push_str(
            "\nPLACE is a program counter (0x60), an instruction counted from 0 (@3) or a line of the source (:12). ADDR is a number or a base\n\
             register with an offset (b0[0x40]). TYPE is s8, u8, s16, int32, fp32 or hex. A command may be cut short as long as it is the only one\n\
             that begins so. In the buffers of the cube `.` is an element whose block is not full.\n",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_short_forms_and_beginnings_mean_commands() {
        let means = |line: &str| parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        for line in ["step 12", "s 12", "ste 0xc", "  step\t12 ; twelve"] {
            assert_eq!(means(line), Some(Command::Step(12)), "{line}");
        }
        assert_eq!(means("n mte2"), Some(Command::Next(Some(Pipe::Mte2))));
        assert_eq!(means("co"), Some(Command::Continue));
        assert_eq!(means("b @3"), Some(Command::Break(Stop::At(Place::Instruction(3)))));
        assert_eq!(means("b addr b1[4] write"), Some(Command::Break(Stop::Address("b1[4]".to_owned(), Access::Write))));
        assert_eq!(means("set gm 64 -1 0xff 7"), Some(Command::Set("64".to_owned(), vec![255, 255, 7])));
        assert_eq!(means("i c"), Some(Command::Info(Topic::Counters)));
        for line in ["", "   ", "# step", "; step"] {
            assert_eq!(means(line), None, "{line}");
        }
    }

    #[test]
    fn whatever_is_wrong_is_one_sentence() {
        for (line, wanted) in [
            ("jump", "no command `jump`"),
            ("restarted", "no command `restarted`"),
            ("step x", "`x` is no number"),
            ("step 1 2", "`step` does not take `2`"),
            ("next v", "mte2, mte1, m, fix, mte3"),
            ("break", "no place to stop"),
            ("break flag m->m.0", "two different pipes"),
            ("break flag mte1->m.8", "below 8"),
            ("info b", "may mean several"),
            ("info x", "pipes, flags"),
            ("print", "cannot be printed"),
            ("print l3", "`l3` is no buffer"),
            ("print l1 0 4y4", "4y4"),
            ("set gm 0", "needs bytes"),
            ("set l1 0 1", "only global memory"),
            ("set gm 0 300", "-128 to 255"),
            ("wave", "needs a file"),
        ] {
            let error = parse(line).expect_err(line);
            assert!(error.contains(wanted) && !error.contains('\n'), "{line}: {error}");
        }
    }

    #[test]
    fn every_command_is_explained() {
        let text = help(None);
        for entry in COMMANDS.iter().filter(|entry| entry.name != "exit") {
            assert!(text.contains(&format!("  {}", entry.name)) && text.contains(entry.help), "{}", entry.name);
        }
        assert!(help(Some("wave")).lines().count() == 2, "{}", help(Some("wave")));
    }
}
