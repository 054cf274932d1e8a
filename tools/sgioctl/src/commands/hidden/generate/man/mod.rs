// SPDX-License-Identifier: GPL-2.0

//! The manual pages of the command line, in man(7).

mod facts;
mod help;
mod roff;

use self::{
    facts::{files, status},
    help::help,
    roff::{escape, item, paragraph},
};
use clap::{builder::StyledStr, Arg, ArgAction, Command};
use std::fmt::Write as _;

/// When the pages were last changed in what they say.
const DATE: &str = "2026-11-30";

/// The page of a command (`sub`: of one of its commands, as `allow`).
pub(super) fn page(command: &Command, sub: Option<&str>) -> String {
    let key = sub.unwrap_or("sgioctl");
    let name = sub.map_or("sgioctl".to_owned(), |sub| format!("sgioctl-{sub}"));
    let source = concat!("sgioctl ", env!("CARGO_PKG_VERSION"));
    let mut page = format!(
        ".\\\" SPDX-License-Identifier: GPL-2.0\n.TH {} 8 {DATE} \"{source}\" \"sgio-filter\"\n",
        escape(&name.to_uppercase())
    );
    let about = plain(command.get_about());
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
    arguments(&mut page, command);
    if sub.is_none() {
        page += ".SH COMMANDS\n";
        for sub in command.get_subcommands().filter(|sub| is_shown(sub)) {
            let head = format!(".BR sgioctl\\-{} (8)", escape(sub.get_name()));
            item(&mut page, &head, &plain(sub.get_about()));
        }
    }
    page += ".SH EXIT STATUS\n";
    for (number, meaning) in status(key) {
        item(&mut page, &format!(".B {number}"), meaning);
    }
    let files = files(key);
    if !files.is_empty() {
        page += ".SH FILES\n";
    }
    for (file, what) in files {
        item(&mut page, &format!(".I {}", escape(file)), what);
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

fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    shown.filter(|arg| !arg.is_positional())
}

fn places(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_positionals().filter(|arg| !arg.is_hide_set())
}

fn plain(text: Option<&StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// `[OPTIONS]` are those that need not be given; what stands without brackets must be.
fn synopsis(command: &Command, sub: Option<&str>) -> String {
    let mut text = ".SH SYNOPSIS\n".to_owned();
    let name = sub.map_or("sgioctl".to_owned(), |sub| format!("sgioctl {sub}"));
    let _ = writeln!(text, ".B {}", escape(&name));
    for option in options(command) {
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
    for argument in places(command) {
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

fn arguments(page: &mut String, command: &Command) {
    let mut arguments = places(command).chain(options(command)).peekable();
    if arguments.peek().is_some() {
        *page += ".SH OPTIONS\n";
    }
    for arg in arguments {
        let value = value(arg).map(|value| escape(&value));
        let dashed = |name: &str| escape(&format!("--{name}"));
        let head = match (arg.get_long(), arg.get_short(), value) {
            (Some(long), _, Some(value)) => format!(".BI {} \" {value}\"", dashed(long)),
            (Some(long), Some(short), None) => format!(".BR \\-{short} \", \" {}", dashed(long)),
            (Some(long), None, None) => format!(".B {}", dashed(long)),
            (None, _, value) => format!(".I {}", value.unwrap_or_default()),
        };
        item(page, &head, plain(arg.get_help()).trim_end_matches('.'));
        if matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::SetFalse) {
            continue;
        }
        let values = arg.get_possible_values();
        for value in values.iter().filter(|value| !value.is_hide_set()) {
            let help = match plain(value.get_help()) {
                help if help.is_empty() => "(no more to say)".to_owned(),
                help => help,
            };
            *page += ".RS\n";
            item(page, &format!(".B {}", escape(value.get_name())), &help);
            *page += ".RE\n";
        }
    }
}
