// SPDX-License-Identifier: GPL-2.0

//! The reference as a program, for the scenarios.
//!
//! ```text
//! ruleeval [--grant RULES]... [--class RULES] RULES...  < COMMANDS
//!                                       what one list of rules, in so many files, says of each command; what grants say of it
//!                                       that the sender holds, in the order in which they are asked; and the class's rules
//! ruleeval --changes FILE...  < ASKED   whether what was allowed may have been, by what writers of a policy told
//! ```
//!
//! A command is a line `NAME ro|rw CDB` (`sgsend --list`); what was asked is one `asked FROM TO ro|wo|rw CDB
//! allowed|refused BY` (`sgsend --storm --oracle`), and other lines are skipped. What writers tell is in
//! `history.rs`. Exit status 1: something was wrong.

use reference::{
    decide::{decide, Answer, Rules},
    history::History,
    text::{self, Bad, Listed},
};
use std::{
    fs,
    io::{self, BufWriter, Write},
    process::ExitCode,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((option, files)) if option == "--changes" => judge(files),
        Some(_) => evaluate(&arguments),
        None => Err(
            "usage: ruleeval [--grant RULES]... [--class RULES] RULES... | --changes FILE..."
                .into(),
        ),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("ruleeval: {why}");
            ExitCode::from(2)
        }
    }
}

fn read(path: &String) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{path}: {error}"))
}

/// The rules of a file, which end at no time.
fn rules_in(file: &String) -> Result<Vec<Listed>, String> {
    match text::parse(&read(file)?) {
        Ok(change) => Ok(change
            .rules()
            .into_iter()
            .map(|l| Listed::new(l, 0))
            .collect()),
        Err(Bad::Nothing) => Ok(Vec::new()),
        Err(Bad::Line(line)) => Err(format!("{file}:{line}: no rule")),
    }
}

fn evaluate(arguments: &[String]) -> Result<bool, String> {
    let (mut device, mut grants, mut class) = (Vec::new(), Vec::new(), Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut file = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument}: no file"))
        };
        match argument.as_str() {
            "--grant" => grants.push(rules_in(file()?)?),
            "--class" => class.extend(rules_in(file()?)?),
            option if option.starts_with('-') => return Err(format!("{option}: no such option")),
            _ => device.extend(rules_in(argument)?),
        }
    }
    let rules = Rules {
        unpriv: false,
        own_luns: false,
        device: &device,
        grants: &grants,
        class: &class,
        now: 0,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let [name, mode @ ("ro" | "rw"), cdb] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("{line}: no command"));
        };
        let answer = decide(&rules, &buffer(cdb)?, mode == "rw");
        let verdict = match answer {
            Answer::Allowed(..) => "allowed",
            _ => "refused",
        };
        writeln!(out, "{name} {mode} {verdict}").map_err(|error| error.to_string())?;
    }
    out.flush().map_err(|error| error.to_string())?;
    Ok(true)
}

fn judge(files: &[String]) -> Result<bool, String> {
    let mut history = History::default();
    for file in files {
        let told = history.go_on(&read(file)?);
        told.ok_or_else(|| format!("{file}: not what a writer tells"))?;
    }
    let (mut refused, mut allowed, mut wrong) = (0, 0, 0);
    for line in io::stdin().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let Some(asked) = line.strip_prefix("asked ") else {
            continue;
        };
        let no_command = || format!("{line}: nothing that was asked");
        let [from, to, mode, cdb, verdict, _by @ ..] = &asked.split(' ').collect::<Vec<_>>()[..]
        else {
            return Err(no_command());
        };
        let time = |word: &str| word.parse::<usize>().map_err(|_| no_command());
        let may = history.may(time(from)?, time(to)?, &buffer(cdb)?, *mode != "ro");
        match (*verdict, may.ok_or_else(no_command)?) {
            ("refused", _) => refused += 1,
            ("allowed", true) => allowed += 1,
            ("allowed", false) => {
                wrong += 1;
                println!("wrong: {asked}");
            }
            _ => return Err(no_command()),
        }
    }
    for answer in &history.wrong {
        println!("wrong: {answer}");
    }
    println!(
        "judged {refused} refused, {allowed} allowed, {wrong} wrong; {} changes, {} wrong",
        history.changes(),
        history.wrong.len()
    );
    Ok(wrong == 0 && history.wrong.is_empty())
}

/// What the kernel decides on: 32 bytes, zero behind the CDB.
fn buffer(digits: &str) -> Result<[u8; 32], String> {
    let mut buffer = [0; 32];
    let cdb = digits.as_bytes().chunks(2);
    if digits.is_empty() || cdb.len() > buffer.len() {
        return Err(format!("{digits}: no CDB"));
    }
    for (byte, digits) in buffer.iter_mut().zip(cdb) {
        let digits = std::str::from_utf8(digits).ok().filter(|d| d.len() == 2);
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        *byte = value.ok_or_else(|| format!("{}: no byte", digits.unwrap_or("half of one")))?;
    }
    Ok(buffer)
}
