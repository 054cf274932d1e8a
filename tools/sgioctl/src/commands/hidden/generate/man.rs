// SPDX-License-Identifier: GPL-2.0

//! The manual pages of the command line, in man(7).

use clap::{Arg, ArgAction, Command};
use std::fmt::Write as _;

/// When the pages were last changed in what they say.
const DATE: &str = "2026-11-30";
/// How long a line of the source is, before what is special in it is escaped.
const WIDTH: usize = 72;

/// Exit status by command: 1 means something only for those that ask.
fn status(command: &str) -> &'static [(&'static str, &'static str)] {
    const DONE: (&str, &str) = ("0", "It is done.");
    const NOT_DONE: (&str, &str) = (
        "2",
        "It could not be done, and nothing has changed: the reason is on standard error.",
    );
    const UNREPORTED: (&str, &str) = (
        "3",
        "It is done and in force, but the report of it could not be written.",
    );
    match command {
        "allow" | "deny" | "set" | "reset" | "complain" | "apply" => &[DONE, NOT_DONE, UNREPORTED],
        "check" => &[
            (
                "0",
                "All of it is allowed, by every open that was asked about.",
            ),
            ("1", "Something is refused."),
            NOT_DONE,
        ],
        "diff" => &[
            ("0", "No verdict would change."),
            ("1", "Some verdict or setting would change."),
            NOT_DONE,
        ],
        "lint" => &[
            ("0", "There is nothing but notes."),
            ("1", "There are errors or warnings."),
            ("2", "A file could not be looked at."),
        ],
        "doctor" => &[
            ("0", "There is no problem."),
            ("1", "There is a problem."),
            NOT_DONE,
        ],
        "explain" => &[
            ("0", "The CDB is a known command."),
            ("1", "It is known on none of the classes asked about."),
            NOT_DONE,
        ],
        "learn" => &[
            ("0", "Rules are proposed, or nothing was refused."),
            ("1", "Something was refused that no rule is proposed for."),
            NOT_DONE,
        ],
        "sgioctl" => &[
            ("0", "It is done, and the answer is yes."),
            (
                "1",
                "It is done, and the answer is no: see the page of the command.",
            ),
            NOT_DONE,
            UNREPORTED,
        ],
        _ => &[DONE, NOT_DONE],
    }
}

/// The files that a command reads or writes.
fn files(command: &str) -> Vec<(&'static str, &'static str)> {
    const POLICIES: (&str, &str) = (
        "/etc/sgio-filter/policy.d/*.toml",
        "Policies, see sgio-policy(5).",
    );
    const PROFILES: (&str, &str) = (
        "/etc/sgio-filter/profiles/*.toml, /usr/share/sgio-filter/profiles/*.toml",
        "Profiles of the site and of the distribution.",
    );
    const NODE: (&str, &str) = (
        "/dev/sgio_filter",
        "Takes transactions and answers questions, see sgio_filter(4).",
    );
    const SYSFS: (&str, &str) = (
        "/sys/bus/scsi/devices/H:C:T:L/sgio_filter/",
        "What is in force on a device.",
    );
    const RECORDS: (&str, &str) = (
        "/run/sgio-filter/",
        "On which device objects a policy has been put in force, so that an event does it once.",
    );
    const TRACEFS: (&str, &str) = (
        "/sys/kernel/tracing/instances/sgioctl-PID/",
        "The buffer that decisions come through, as long as it runs.",
    );
    match command {
        "apply" => vec![POLICIES, PROFILES, NODE, RECORDS],
        "diff" | "lint" => vec![POLICIES, PROFILES, SYSFS],
        "profiles" => vec![PROFILES],
        "allow" | "deny" | "set" | "reset" | "complain" => vec![NODE, SYSFS],
        "monitor" => vec![TRACEFS],
        "list" | "show" | "check" => vec![SYSFS, NODE],
        "doctor" => vec![POLICIES, SYSFS, NODE],
        "sgioctl" => vec![POLICIES, PROFILES, NODE, SYSFS, RECORDS],
        _ => Vec::new(),
    }
}

/// The page of a command (`sub`: of one of its commands, as `allow`).
pub(super) fn page(command: &Command, sub: Option<&str>) -> String {
    let key = sub.unwrap_or("sgioctl");
    let name = sub.map_or("sgioctl".to_owned(), |sub| format!("sgioctl-{sub}"));
    let source = concat!("sgioctl ", env!("CARGO_PKG_VERSION"));
    let mut page = format!(
        ".\\\" SPDX-License-Identifier: GPL-2.0\n.TH {} 8 {DATE} \"{source}\" \"sgio-filter\"\n",
        escape(&name.to_uppercase())
    );
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let about = about.trim_end_matches('.');
    let what = about.chars().next().map(char::to_lowercase);
    let what: String = what
        .into_iter()
        .flatten()
        .chain(about.chars().skip(1))
        .collect();
    // One line, however long; that of sgioctl is not made for it.
    let what = match sub {
        Some(_) => what,
        None => "decide which SCSI commands unprivileged processes may send".to_owned(),
    };
    let _ = write!(page, ".SH NAME\n{} \\- {}\n", escape(&name), escape(&what));
    page += &synopsis(command, sub);

    let (prose, examples) = help(command);
    page += ".SH DESCRIPTION\n";
    paragraph(&mut page, &format!("{about}."));
    for text in &prose {
        page += ".PP\n";
        paragraph(&mut page, text);
    }
    options(&mut page, command);
    if sub.is_none() {
        page += ".SH COMMANDS\n";
        for sub in command.get_subcommands().filter(|sub| is_shown(sub)) {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(page, ".TP\n.BR sgioctl\\-{} (8)", escape(sub.get_name()));
            paragraph(&mut page, &about);
        }
    }
    page += ".SH EXIT STATUS\n";
    for (number, meaning) in status(key) {
        let _ = writeln!(page, ".TP\n.B {number}");
        paragraph(&mut page, meaning);
    }
    let files = files(key);
    if !files.is_empty() {
        page += ".SH FILES\n";
    }
    for (file, what) in files {
        let _ = writeln!(page, ".TP\n.I {}", escape(file));
        paragraph(&mut page, what);
    }
    if !examples.is_empty() {
        let _ = write!(page, ".SH EXAMPLES\n.EX\n");
        for line in &examples {
            let _ = writeln!(page, "{}", escape(line));
        }
        page += ".EE\n";
    }
    page += ".SH SEE ALSO\n";
    let mut others = vec![("sgio-policy", 5), ("sgio_filter", 4)];
    if sub.is_some() {
        others.insert(0, ("sgioctl", 8));
    }
    for (number, (other, section)) in others.iter().enumerate() {
        let comma = if number + 1 < others.len() { " ," } else { "" };
        let _ = writeln!(page, ".BR {} ({section}){comma}", escape(other));
    }
    page
}

pub(super) fn is_shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

fn shown(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| !arg.is_hide_set())
}

/// `[OPTIONS]` are those that need not be given; what stands without brackets must be.
fn synopsis(command: &Command, sub: Option<&str>) -> String {
    let mut text = ".SH SYNOPSIS\n".to_owned();
    let name = sub.map_or("sgioctl".to_owned(), |sub| format!("sgioctl {sub}"));
    let _ = writeln!(text, ".B {}", escape(&name));
    for option in shown(command).filter(|arg| !arg.is_positional()) {
        let (open, close) = match option.is_required_set() {
            true => ("", ""),
            false => ("[", "]"),
        };
        let long = option.get_long().unwrap_or_default();
        let dashed = escape(&format!("--{long}"));
        match value(option) {
            Some(value) => {
                let _ = writeln!(text, ".RB {open} {dashed}\n.IR {}{close}", escape(&value));
            }
            None => {
                let _ = writeln!(text, ".RB {open} {dashed} {close}");
            }
        }
    }
    for argument in command.get_positionals().filter(|arg| !arg.is_hide_set()) {
        let value = escape(&value(argument).unwrap_or_default());
        let many = match argument.get_action() {
            ArgAction::Append => "...",
            _ if argument.get_num_args().is_some_and(|n| n.max_values() > 1) => "...",
            _ => "",
        };
        let _ = match argument.is_required_set() {
            true => writeln!(text, ".IR {value}{many}"),
            false => writeln!(text, ".RI [ {value} ]{many}"),
        };
    }
    if sub.is_none() {
        text += ".I COMMAND\n.RI [ ARGUMENTS ]\n";
    }
    text
}

/// The name of an argument's value, if it has one.
fn value(arg: &Arg) -> Option<String> {
    if !arg.is_positional() && !arg.get_action().takes_values() {
        return None;
    }
    let names = arg.get_value_names().unwrap_or_default();
    let name = names.first().map(ToString::to_string);
    Some(name.unwrap_or_else(|| arg.get_id().to_string().to_uppercase()))
}

fn options(page: &mut String, command: &Command) {
    if shown(command).next().is_none() {
        return;
    }
    *page += ".SH OPTIONS\n";
    let positional = command.get_positionals().filter(|arg| !arg.is_hide_set());
    for arg in positional.chain(shown(command).filter(|arg| !arg.is_positional())) {
        *page += ".TP\n";
        let value = value(arg).map(|value| escape(&value));
        let dashed = |name: &str| escape(&format!("--{name}"));
        match (arg.get_long(), arg.get_short(), value) {
            (Some(long), _, Some(value)) => {
                let _ = writeln!(page, ".BI {} \" {value}\"", dashed(long));
            }
            (Some(long), Some(short), None) => {
                let _ = writeln!(page, ".BR \\-{short} \", \" {}", dashed(long));
            }
            (Some(long), None, None) => {
                let _ = writeln!(page, ".B {}", dashed(long));
            }
            (None, _, value) => {
                let _ = writeln!(page, ".I {}", value.unwrap_or_default());
            }
        }
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        paragraph(page, help.trim_end_matches('.'));
        let values: Vec<_> = arg.get_possible_values();
        for value in values.iter().filter(|value| !value.is_hide_set()) {
            if matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::SetFalse) {
                break;
            }
            let help = value
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let _ = writeln!(page, ".RS\n.TP\n.B {}", escape(value.get_name()));
            paragraph(
                page,
                if help.is_empty() {
                    "(no more to say)"
                } else {
                    &help
                },
            );
            *page += ".RE\n";
        }
    }
}

/// The paragraphs of the help, and the lines of its examples.
fn help(command: &Command) -> (Vec<String>, Vec<String>) {
    let text = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let (mut prose, mut examples) = (Vec::new(), Vec::new());
    for block in text.split("\n\n") {
        match block.strip_prefix("Examples:\n") {
            Some(lines) => {
                for line in lines.lines() {
                    let line = line.strip_prefix("  ").unwrap_or(line);
                    // What it does stands behind it, or below if the line gets too long.
                    match line.split_once("   ") {
                        Some((command, what)) if escape(line).len() > WIDTH => {
                            examples.push(command.trim_end().to_owned());
                            examples.push(format!("    {}", what.trim()));
                        }
                        _ => continued(&mut examples, line),
                    }
                }
            }
            None if block.trim().is_empty() => {}
            None => prose.push(block.split_whitespace().collect::<Vec<_>>().join(" ")),
        }
    }
    (prose, examples)
}

/// A command of an example, on several lines if it is too long for one.
fn continued(examples: &mut Vec<String>, line: &str) {
    let mut line = line.to_owned();
    while escape(&line).len() > 80 {
        let fits = |at: &usize| {
            line.get(..*at)
                .is_some_and(|start| escape(start).len() < 76)
        };
        let blanks = line.match_indices(' ').map(|(at, _)| at);
        let Some(at) = blanks.filter(fits).last().filter(|at| *at > 4) else {
            break;
        };
        let rest = line.split_off(at);
        examples.push(format!("{line} \\"));
        line = format!("    {}", rest.trim_start());
    }
    examples.push(line);
}

/// Text in lines that are not too long.
fn paragraph(page: &mut String, text: &str) {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(page, "{}", escape(&line));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        let _ = writeln!(page, "{}", escape(&line));
    }
}

/// Text as it stands, in roff.
fn escape(text: &str) -> String {
    let mut escaped = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('"', "\\(dq");
    if escaped.starts_with(['.', '\'']) {
        escaped.insert_str(0, "\\&");
    }
    escaped
}
