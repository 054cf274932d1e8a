// SPDX-License-Identifier: GPL-2.0

//! Every named command of every class has a verdict with a reason, the rules say the same, and the
//! admin guide tells of each difference from the kernel's list.
//!
//! The verdicts are in `rust/policy/strict/verdicts.table`, which says what its columns mean.

mod rules;

use rules::{answers, sample, Table};
use sgio_policy::policy::{strict, Access, Action, Class, Rule, STOCK};
use sgioctl::names;
use std::{fmt::Write as _, fs};

const VERDICTS: &str = include_str!("../../../rust/policy/strict/verdicts.table");
const GUIDE: &str = include_str!("../../../Documentation/admin-guide/defaults.md");

/// One line of the table of verdicts.
struct Line {
    classes: Vec<Class>,
    commands: Vec<String>,
    verdict: String,
    effects: String,
    reason: String,
}

/// One named command of a class.
struct Command {
    class: Class,
    name: String,
    /// The name of the opcode as a whole.
    base: String,
    title: String,
    rule: Rule,
    /// What the rules answer to it: some of `r`, `w`, `-`.
    strict: String,
    stock: String,
}

impl Command {
    fn opcode(&self) -> u8 {
        self.rule.opcodes().iter().next().unwrap()
    }
}

/// Tells whether the standards define the type, and it is no well known logical unit.
fn is_defined(class: Class) -> bool {
    class != Class::WLUN
        && class != Class::UNKNOWN
        && !class.name().starts_with(|c: char| c.is_ascii_digit())
}

fn classes(letters: &str) -> Vec<Class> {
    let (all, letters) = match letters.strip_prefix('*') {
        Some(but) => (true, but.strip_prefix('-').unwrap_or("")),
        None => (false, letters),
    };
    let named = |class: &Class| {
        letters.chars().any(|letter| match letter {
            '?' => !is_defined(*class),
            'D' => *class == Class::DISK || *class == Class::ZBC,
            _ => {
                let code = "DTLPWRSOMC..AEBKUFVX".find(letter);
                code.is_some_and(|code| usize::from(class.type_code()) == code)
            }
        })
    };
    let mut classes = Class::ALL.to_vec();
    classes.retain(|class| named(class) != all);
    classes
}

fn read(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with(' ') {
            let reason = &mut lines.last_mut().expect("a reason without a command").reason;
            write!(reason, " {}", line.trim()).unwrap();
        } else if !line.is_empty() {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let [letters, commands, verdict, effects] = columns[..] else {
                panic!("not four columns: {line}");
            };
            assert!(effects.chars().all(|c| "wdbcposmv-".contains(c)), "{line}");
            lines.push(Line {
                classes: classes(letters),
                commands: commands.split(',').map(String::from).collect(),
                verdict: verdict.into(),
                effects: effects.replace('-', ""),
                reason: String::new(),
            });
        }
    }
    lines
}

/// All named commands of a class; ATA commands as the one that carries them.
fn commands(class: Class) -> Vec<Command> {
    let (table, stock) = (Table::new(strict(class)), Table::new(&[STOCK]));
    let all: Vec<(String, Rule)> = rules::commands(class)
        .into_iter()
        .filter(|(name, _)| !name.starts_with("ata-pass-through-1") || !name.contains(':'))
        .collect();
    all.iter()
        .filter_map(|(name, rule)| {
            let same = || all.iter().filter(|(_, r)| r.opcodes() == rule.opcodes());
            let fields = |rule: &Rule| rule.fields().count();
            let narrower: Vec<Rule> = same()
                .map(|(_, other)| *other)
                .filter(|other| fields(other) > fields(rule))
                .collect();
            let (base, _) = same().find(|(_, r)| fields(r) == 0).unwrap();
            let cdbs = sample(rule, &narrower, &table.rules);
            // Of a command that its service actions make up there is nothing beside them.
            let decoded = names::decode(cdbs.first()?, class);
            Some(Command {
                class,
                name: name.clone(),
                base: base.clone(),
                title: decoded.title.expect("a title"),
                rule: *rule,
                strict: answers(&table, &cdbs),
                stock: answers(&stock, &cdbs),
            })
        })
        .collect()
}

fn all_commands() -> Vec<Command> {
    Class::ALL.into_iter().flat_map(commands).collect()
}

/// The line of a command: its own, or that of its opcode as a whole.
fn line_of<'a>(lines: &'a [Line], command: &Command) -> Option<&'a Line> {
    let find = |name: &String| {
        lines
            .iter()
            .find(|line| line.classes.contains(&command.class) && line.commands.contains(name))
    };
    find(&command.name).or_else(|| find(&command.base))
}

/// Without r or w in front these are for readers, although they have an effect and no class gives them to readers.
/// PERSISTENT RESERVE IN: who names it wants what it shows, and cluster software asks for it by a read-only open.
/// READ ELEMENT STATUS: mtx asks for it by a read-only open, and robots look only when they start.
/// SECURITY PROTOCOL IN: those that are named so only report what the device has; their line is that of all others.
const FOR_READERS_BY_NAME: [&str; 3] = [
    "persistent-reserve-in",
    "read-element-status",
    "security-protocol-in",
];

/// What is wrong with the line of a command.
fn complaint(line: &Line, command: &Command) -> Option<String> {
    let has = |effects: &str| line.effects.chars().any(|effect| effects.contains(effect));
    let although = line.reason.contains("although");
    // Its own rule is the last; what is within it and has a name of its own, stands in front.
    let rules = names::by_default(&command.name, command.class).unwrap();
    let access = match rules.last().unwrap().action() {
        Action::Allow(access) => access,
        Action::Deny => unreachable!(),
    };
    let destructive = names::decode(&sample(&command.rule, &[], &[])[0], command.class).destructive;
    Some(match line.verdict.as_str() {
        verdict if verdict != command.strict => format!("the rules say '{}'", command.strict),
        _ if line.reason.len() < 10 => "no reason".into(),
        _ if line.effects.is_empty() && access == Access::Write => "the names say harm".into(),
        verdict
            if access == Access::Read
                && !line.effects.is_empty()
                && verdict != "r"
                && !FOR_READERS_BY_NAME.contains(&command.base.as_str()) =>
        {
            format!("for readers by its name, despite '{}'", line.effects)
        }
        _ if destructive && !has("wdbpov") => "the names say destructive".into(),
        "r" if !line.effects.is_empty() && !although => "for readers despite an effect".into(),
        "r" if has("wdp") => "nothing that writes is for readers".into(),
        "rw" | "w" | "w-" if has("dposv") && !although => "for writers despite an effect".into(),
        "-" if line.effects.is_empty() && command.stock != "-" => "refused without a reason".into(),
        _ => return None,
    })
}

/// What is wrong with the table of verdicts.
fn complaints(text: &str, commands: &[Command]) -> Vec<String> {
    let lines = read(text);
    let mut complaints: Vec<String> = Vec::new();
    for command in commands {
        let found = match line_of(&lines, command) {
            None => Some("no verdict".into()),
            Some(line) => complaint(line, command),
        };
        let (name, class) = (&command.name, command.class.name());
        complaints.extend(found.map(|what| format!("{name} on {class}: {what}")));
    }
    for line in &lines {
        for name in &line.commands {
            for class in &line.classes {
                let mut known = commands.iter();
                if !known.any(|c| c.name == *name && c.class == *class) {
                    complaints.push(format!("{name} is no command of {}", class.name()));
                }
            }
        }
    }
    complaints
}

#[test]
fn every_command_has_a_verdict_with_a_reason() {
    let complaints = complaints(VERDICTS, &all_commands());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Each of these mistakes is found.
#[test]
fn mistakes_in_the_verdicts_are_found() {
    let commands = all_commands();
    for (right, wrong, complaint) in [
        (
            "D       xdread-10,xdread-32 - c\n",
            "D       xdread-32 - c\n",
            "xdread-10 on disk: no verdict",
        ),
        (
            "D       zone-query-16 r -",
            "D       zone-query-16 w -",
            "zone-query-16 on zbc: the rules say 'r'",
        ),
        (
            "S       read-10 w c",
            "S       read-10 r -",
            "read-10 on scanner: the rules say 'w'",
        ),
        (
            "D       xdread-10,xdread-32 - c",
            "D       xdread-10,xdread-32 - -",
            "xdread-10 on disk: the names say harm",
        ),
        (
            "although a drive allows it a few",
            "as a drive allows it a few",
            "send-key:region-code on cdrom: for writers despite an effect",
        ),
        (
            "*       log-select - d",
            "*       log-select - -",
            "log-select on tape: the names say harm",
        ),
        (
            "DTREBAVX security-protocol-in - sv",
            "DTREBAVX security-protocol-in - -",
            "security-protocol-in:supported-protocols on disk: refused without a reason",
        ),
        (
            "T       read-6,read-16 r m",
            "T       read-6,read-16,read-61 r m",
            "read-61 is no command of tape",
        ),
        (
            "        Takes what was to be written. Not in the kernel's list.\n",
            "",
            "recover-buffered-data on tape: no reason",
        ),
    ] {
        let text = VERDICTS.replace(right, wrong);
        assert_ne!(text, VERDICTS, "{right}");
        let found = complaints(&text, &commands);
        assert!(
            found.iter().any(|found| found == complaint),
            "{complaint}: {found:?}"
        );
    }
}

/// What has no name on a class is refused there, so that the table of verdicts is complete.
#[test]
fn nothing_without_a_name_is_allowed() {
    for class in Class::ALL {
        let named = commands(class);
        for rule in Table::new(strict(class)).rules {
            for opcode in rule.opcodes().iter() {
                let known = named.iter().any(|command| command.opcode() == opcode);
                assert!(known, "{opcode:02x} in {rule} on {}", class.name());
            }
        }
    }
}

/// The rows of the tables of the guide: opcodes, and the whole row.
fn rows(guide: &str) -> Vec<(Vec<u8>, &str)> {
    guide
        .lines()
        .filter_map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let opcodes = |cell: &&str| {
                let all = cell.split(", ").map(|op| u8::from_str_radix(op, 16).ok());
                all.collect::<Option<Vec<u8>>>()
            };
            Some((cells.iter().skip(1).take(2).find_map(opcodes)?, row))
        })
        .collect()
}

/// What is wrong with the guide's tables of the differences.
fn guide_complaints(guide: &str, commands: &[Command]) -> Vec<String> {
    let rows = rows(guide);
    let differs = |command: &Command| command.strict != command.stock;
    // The guide calls a service action by its own title, or by that of the command. Lengths of
    // CDBs, as in READ(10), do not count.
    let plain = |text: &str| -> String {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        let words =
            words.filter(|word| !word.is_empty() && !["6", "10", "12", "16", "32"].contains(word));
        words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
    };
    let told = |command: &Command, row: &str| {
        let row = plain(row);
        let title = command.title.rsplit(": ").next().unwrap();
        [title, &command.base]
            .iter()
            .any(|title| row.contains(&plain(title)))
    };
    let mut complaints = Vec::new();
    for command in commands.iter().filter(|command| differs(command)) {
        let opcode = command.opcode();
        let mut own = rows.iter().filter(|(opcodes, _)| opcodes.contains(&opcode));
        if !own.any(|(_, row)| told(command, row)) {
            complaints.push(format!(
                "{opcode:02x} {} on {} is not told",
                command.title,
                command.class.name()
            ));
        }
    }
    for (opcodes, row) in &rows {
        for opcode in opcodes {
            let mut those = commands
                .iter()
                .filter(|command| command.opcode() == *opcode);
            let mut vendor = [0x0d, 0xea, 0x19].iter();
            if !those.any(differs) && !vendor.any(|vendor| vendor == opcode) {
                complaints.push(format!("{opcode:02x} is told, but nothing differs: {row}"));
            }
        }
    }
    complaints.dedup();
    complaints
}

#[test]
fn the_guide_tells_each_difference_from_the_kernels_list() {
    let complaints = guide_complaints(GUIDE, &all_commands());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let row = GUIDE.lines().find(|row| row.starts_with("| 42 |")).unwrap();
    let wrong = GUIDE.replace(row, "| 43 | READ TOC | something | refused |");
    let found = guide_complaints(&wrong, &all_commands());
    assert!(
        found
            .iter()
            .any(|c| c.starts_with("42 UNMAP on disk is not told")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|c| c.starts_with("43 is told, but")),
        "{found:?}"
    );
}

/// Each table of rules names the standard that its commands are from, with its revision.
#[test]
fn each_table_of_rules_names_its_standard() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rust/policy/strict");
    let mut tables = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "rules")
        {
            continue;
        }
        tables += 1;
        let text = fs::read_to_string(&path).unwrap().replace("\n#", "");
        let (_, reference) = text.split_once("Reference: ").unwrap_or_default();
        let (document, rest) = reference.split_once([' ', ',', '.']).unwrap_or_default();
        let revision = document.ends_with(|c: char| c.is_ascii_digit())
            || rest.starts_with("(the first)")
            || rest.starts_with("(the only revision)");
        assert!(revision, "{}: '{document}'", path.display());
    }
    assert!(tables > 15, "{tables}");
}
