// SPDX-License-Identifier: GPL-2.0

//! `sgioctl explain`: CDBs in words.

use crate::{
    context::Context,
    device,
    hex::{self, hex},
    names::{self, Decoded},
    output,
};
use anyhow::{anyhow, Result};
use serde::Serialize;
use sgio_policy::policy::Class;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  sgioctl explain 5f 00 05 00 00 00 00 00 18 00     what it is on each class
  sgioctl explain --class disk 48030000000000000000
  sgioctl explain --device sda '85 08 0e d0 01 00 01 00 00 00 4f 00 c2 00 b0 00'
  sgioctl explain --class tape persistent-reserve-out:register
  sgioctl explain --names --class tape              all commands with a name

Bytes behind the end of a CDB count as zero. Exit status: 0 known, 1 unknown on each class that was asked about, 2 no CDB.")]
pub struct Args {
    /// What the CDB is on this class (disk, tape, cdrom, ...); without it, on every class.
    #[arg(long, value_name = "CLASS", value_parser = parse_class)]
    class: Option<Class>,

    /// What the CDB is on the class of this device.
    #[arg(long, value_name = "DEV", conflicts_with = "class")]
    device: Option<String>,

    /// List the names of all commands instead (of one class, or of all).
    #[arg(long, conflicts_with = "cdb")]
    names: bool,

    /// The bytes of the CDB in hex, as people and programs write them: 5f 00 05, "0x5f, 0x00", 5f0005, 'CDB: ...';
    /// or the name of a command.
    #[arg(value_name = "CDB", required_unless_present = "names")]
    cdb: Vec<String>,
}

/// A class by name, for command lines.
///
/// # Errors
///
/// No class has that name.
pub(crate) fn parse_class(name: &str) -> Result<Class> {
    Class::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Class::ALL.into_iter().map(Class::name).collect();
        let meant = device::class_meant(name);
        let meant = meant.map_or_else(String::new, |meant| format!("did you mean {meant}? "));
        anyhow!("no class '{name}'; {meant}there are {}", names.join(", "))
    })
}

/// What a CDB is on some classes, which all agree.
#[derive(Serialize)]
struct Meaning {
    classes: Vec<&'static str>,
    #[serde(flatten)]
    decoded: Decoded,
}

#[derive(Serialize)]
struct Answer {
    cdb: String,
    length: usize,
    /// What the standards give it; none where they leave it open.
    standard_length: Option<usize>,
    /// What was taken for the bytes that were not given.
    assumed: Option<String>,
    meanings: Vec<Meaning>,
}

#[derive(Serialize)]
struct Names {
    classes: Vec<ClassNames>,
}

#[derive(Serialize)]
struct ClassNames {
    class: &'static str,
    names: Vec<String>,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let class = match &args.device {
        Some(name) => device::find(&context.root, name)?
            .first()
            .map(|device| device.class),
        None => args.class,
    };
    if args.names {
        return list(context, class);
    }

    let cdb = match hex::items(&args.cdb)?.as_slice() {
        [one] => cdb(one, class)?,
        several => {
            let error = anyhow!(
                "{} CDBs ('{}'): explain takes one",
                several.len(),
                several.join("', '")
            );
            let class = class.unwrap_or(Class::DISK);
            return Err(names::one_name(error, &args.cdb, class));
        }
    };
    let answer = Answer {
        cdb: hex(&cdb),
        length: cdb.len(),
        standard_length: hex::length(&cdb),
        assumed: hex::assumed(&cdb),
        meanings: meanings(&cdb, class),
    };
    context.output.answer("explain", &answer, || {
        output::print(&text(&answer, class.is_some()))
    })?;
    let known = answer.meanings.iter().any(|m| m.decoded.name.is_some());
    Ok(ExitCode::from(u8::from(!known)))
}

/// The CDB that an item is: its bytes, or what a name stands for, on the first class that has it.
fn cdb(item: &str, class: Option<Class>) -> Result<Vec<u8>> {
    let digit = item.starts_with(|c: char| c.is_ascii_digit());
    if digit || hex::read(item).is_some() || item.starts_with("op:") {
        return hex::one(item);
    }
    if let Some(class) = class {
        return names::cdb_of(item, class);
    }
    let mut found = Class::ALL
        .into_iter()
        .map(|class| names::cdb_of(item, class));
    match found.find(Result::is_ok) {
        Some(cdb) => cdb,
        None => names::cdb_of(item, Class::DISK),
    }
}

fn list(context: &Context, class: Option<Class>) -> Result<ExitCode> {
    let classes = match class {
        Some(class) => vec![class],
        None => Class::ALL.to_vec(),
    };
    let names = Names {
        classes: classes
            .into_iter()
            .map(|class| ClassNames {
                class: class.name(),
                names: names::all(class),
            })
            .collect(),
    };
    context.output.answer("explain", &names, || {
        let mut all: Vec<&str> = Vec::new();
        for class in &names.classes {
            all.extend(class.names.iter().map(String::as_str));
        }
        if class.is_none() {
            all.sort_unstable();
            all.dedup();
        }
        output::print(&output::lines(&all))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What a CDB is on one class; without one, all that it can be, classes that agree together.
fn meanings(cdb: &[u8], class: Option<Class>) -> Vec<Meaning> {
    let Some(class) = class else {
        let mut meanings: Vec<Meaning> = Vec::new();
        for class in Class::ALL {
            let decoded = names::decode(cdb, class);
            // The title tells from each other what two classes call by one name.
            let same = |m: &&mut Meaning| {
                (&m.decoded.name, &m.decoded.title) == (&decoded.name, &decoded.title)
                    && m.decoded.fields == decoded.fields
            };
            match meanings.iter_mut().find(same) {
                Some(meaning) => meaning.classes.push(class.name()),
                None => meanings.push(Meaning {
                    classes: vec![class.name()],
                    decoded,
                }),
            }
        }
        if meanings.iter().any(|m| m.decoded.name.is_some()) {
            meanings.retain(|m| m.decoded.name.is_some());
        }
        return meanings;
    };
    vec![Meaning {
        classes: vec![class.name()],
        decoded: names::decode(cdb, class),
    }]
}

fn text(answer: &Answer, one_class: bool) -> String {
    let mut text = format!("{}\n", answer.cdb);
    if let Some(standard) = answer.standard_length.filter(|s| *s != answer.length) {
        let assumed = answer.assumed.as_ref();
        let assumed = assumed.map_or(String::new(), |assumed| format!("; assumed: {assumed}"));
        text += &format!("({} bytes; {standard} are usual{assumed})\n", answer.length);
    }
    for Meaning { classes, decoded } in &answer.meanings {
        let on = match classes.len() {
            32 => "all classes".to_owned(),
            _ => classes.join(", "),
        };
        text += &format!("\n{on}:\n");
        let (Some(name), Some(title)) = (&decoded.name, &decoded.title) else {
            text += "  no standard gives this opcode a meaning here\n";
            text += &elsewhere(decoded);
            continue;
        };
        text += &format!("  {name} ({title})\n");
        for (field, value) in &decoded.fields {
            text += &format!("    {field}: {value}\n");
        }
        if let Some(source) = &decoded.source {
            text += &format!("  source: {source}\n");
        }
        let destructive = match (decoded.known, decoded.destructive) {
            (false, _) => "to be feared: no table knows what it does",
            (true, true) => "yes",
            (true, false) => "no",
        };
        text += &format!("  destructive: {destructive}\n");
        if one_class {
            text += &elsewhere(decoded);
        }
    }
    text
}

fn elsewhere(decoded: &Decoded) -> String {
    let other = |(classes, name): &(Vec<String>, String)| {
        format!("  elsewhere: {name} ({})\n", classes.join(", "))
    };
    decoded.elsewhere.iter().map(other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_meanings_of_48() {
        let answer = Answer {
            cdb: "48 03".into(),
            length: 2,
            standard_length: Some(10),
            assumed: None,
            meanings: meanings(&[0x48, 0x03], None),
        };
        let names: Vec<_> = answer
            .meanings
            .iter()
            .map(|m| (m.classes.join(","), m.decoded.name.as_deref()))
            .collect();
        assert_eq!(
            names,
            [
                (
                    "disk,rbc,zbc".to_owned(),
                    Some("sanitize:cryptographic-erase")
                ),
                ("cdrom".to_owned(), Some("play-audio-track-index")),
            ]
        );
        assert!(text(&answer, false).contains("disk, rbc, zbc:\n  sanitize:cryptographic-erase"));
    }

    #[test]
    fn an_opcode_without_meaning() {
        let meanings = meanings(&[0x02], None);
        assert_eq!(meanings.len(), 1);
        assert_eq!(meanings[0].classes.len(), 32);
    }
}
