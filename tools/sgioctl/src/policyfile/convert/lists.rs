// SPDX-License-Identifier: GPL-2.0

//! `deny`, `rules` and `allow`.

use super::{
    super::{command::Wrong, raw, At, CommandItem, Fault, Lists},
    reader::Reader,
};
use sgio_policy::policy::{Change, ChangeKind, Class, ParseErrorKind, Rule, MAX_RULES};

/// What to do about an item that is no command.
fn fix_of_item(item: &str, general: &'static str) -> String {
    let lower = item.to_lowercase();
    match item.split_whitespace().next() {
        Some("rw" | "wr") => {
            let rest = item
                .split_whitespace()
                .skip(1)
                .collect::<Vec<_>>()
                .join(" ");
            format!(
                "write \"r {rest}\": r is any open, one for writing too; w needs one for writing"
            )
        }
        Some("R" | "W") => format!("write \"{lower}\", in small letters"),
        _ => general.to_owned(),
    }
}

/// What to do about a line that is no rule.
fn fix_of_rule(line: &str) -> String {
    let (rule, comment) = line
        .split_once('#')
        .map_or((line, ""), |(rule, rest)| (rule, rest));
    let _ = comment;
    if rule.contains("//") || rule.trim_start().starts_with(';') {
        return "a comment begins with #".into();
    }
    if rule.contains(';') {
        return "each rule stands on a line of its own, without ;".into();
    }
    let words: Vec<&str> = rule.split_whitespace().collect();
    if rule.contains("[0x") {
        return "the number of a byte is decimal, without 0x: [14]=b0".into();
    }
    let is_name = |word: &str| {
        word.len() > 2
            && word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.contains(|c: char| ('g'..='z').contains(&c))
    };
    match words[..] {
        ["allow", access @ ("r" | "w"), name, ..] if is_name(name) => {
            return format!("rules have numbers; a name goes into allow = [\"{access} {name}\"]");
        }
        ["deny", name, ..] if is_name(name) => {
            return format!("rules have numbers; a name goes into deny = [\"{name}\"]");
        }
        _ => (),
    }
    match words[..] {
        ["allow", "rw" | "wr", ref rest @ ..] => {
            let rest = rest.join(" ");
            format!("write 'allow r {rest}': r is any open, one for writing too; w needs one for writing")
        }
        ["allow" | "deny", ..] if rule.chars().any(|c| c.is_ascii_uppercase()) => {
            format!(
                "write it in small letters: '{}'",
                rule.trim().to_ascii_lowercase()
            )
        }
        [first, ..]
            if first != first.to_ascii_lowercase()
                && matches!(first.to_ascii_lowercase().as_str(), "allow" | "deny") =>
        {
            format!(
                "write it in small letters: '{}'",
                rule.trim().to_ascii_lowercase()
            )
        }
        ["allow", first, ..] if first.len() > 1 => {
            format!("say how it must be open: 'allow r {first}' (any open) or 'allow w {first}' (for writing)")
        }
        ["deny", "r" | "w" | "rw", ref rest @ ..] => {
            format!(
                "write 'deny {}': what is refused needs no r or w",
                rest.join(" ")
            )
        }
        _ => "a rule is like 'allow w 5f [1]&1f=00-04'".into(),
    }
}

impl Reader<'_> {
    pub(super) fn lists(
        &mut self,
        deny: &[raw::Str],
        rules: Option<&raw::Str>,
        allow: &[raw::Str],
        classes: &[Class],
    ) -> Lists {
        Lists {
            deny: self.commands(deny, true, classes),
            rules: rules.map(|text| self.rules(text)).unwrap_or_default(),
            allow: self.commands(allow, false, classes),
        }
    }

    fn commands(
        &mut self,
        items: &[raw::Str],
        deny: bool,
        classes: &[Class],
    ) -> Vec<At<CommandItem>> {
        let mut commands = Vec::new();
        if let (Some(first), true) = (items.first(), items.len() > MAX_RULES) {
            // Each is a rule at least: none is looked at.
            let message = format!("{} commands; a list can have {MAX_RULES}", items.len());
            self.fault(first.span().start, message, "join them: \"w 12,a0-a3\"");
            return commands;
        }
        for item in items {
            let fix =
                "give a name (sgioctl explain knows them), or numbers like \"w 5f [1]&1f=00-04\"";
            let span = item.span();
            let result = CommandItem::new(item.get_ref(), deny).and_then(|command| {
                let mut results = match classes {
                    [] => vec![command.check(None)],
                    _ => classes.iter().map(|c| command.check(Some(*c))).collect(),
                };
                // One that no class knows is no command; one that some lack is found on a device.
                results.sort_by_key(Result::is_err);
                match results.into_iter().next() {
                    Some(Err(error)) => Err((None, error)),
                    _ => Ok(command),
                }
            });
            match result {
                Ok(value) => commands.push(At {
                    value,
                    place: self.text.place(span.start),
                }),
                Err(wrong) => {
                    let (at, message): Wrong = wrong;
                    let fix = fix_of_item(item.get_ref(), fix);
                    let place = match at {
                        Some(at) => self.text.string(span).place(1, at + 1),
                        None => self.text.place(span.start),
                    };
                    self.faults.push(Fault::new(&place, message, fix));
                }
            }
        }
        commands
    }

    /// The rules of a text, each with its place; all wrong lines are reported.
    pub(super) fn rules(&mut self, raw: &raw::Str) -> Vec<At<Rule>> {
        let mut rules = Vec::new();
        let text = self.text.string(raw.span());
        for (number, line) in (1..).zip(raw.get_ref().lines()) {
            let place = |column| text.place(number, column);
            let start = 1 + line.len() - line.trim_start().len();
            match Change::parse(line.as_bytes()) {
                Ok(change) if change.kind() == ChangeKind::Edit => {
                    let fix = "write the whole list, without + and -";
                    let message = "a file has no list to edit";
                    self.faults.push(Fault::new(&place(start), message, fix));
                }
                Ok(change) => {
                    for rule in change.rules() {
                        match rule.permanent() {
                            Some(value) => rules.push(At {
                                value,
                                place: place(start),
                            }),
                            None => {
                                let fix = "leave 'for=' out, or use 'sgioctl allow --for'";
                                let message = "a rule of a file does not end";
                                self.faults.push(Fault::new(&place(start), message, fix));
                            }
                        }
                    }
                    if rules.len() > MAX_RULES {
                        let message =
                            format!("more than {MAX_RULES} rules, the most a list can have");
                        let fix = "join rules: 'allow r 12,a0-a3'";
                        self.faults.push(Fault::new(&place(start), message, fix));
                        break;
                    }
                }
                Err(error)
                    if matches!(error.kind, ParseErrorKind::Empty | ParseErrorKind::NoRule) => {}
                Err(error) => {
                    let fix = fix_of_rule(line);
                    let place = place(error.column as usize);
                    self.faults
                        .push(Fault::new(&place, error.kind.to_string(), fix));
                }
            }
        }
        rules
    }
}
