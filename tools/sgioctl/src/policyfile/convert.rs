// SPDX-License-Identifier: GPL-2.0

//! From the text of one file to what it says, or to all that is wrong with it.

use super::{
    command::Wrong, mistake, raw, At, Block, ClassBlock, ClassContent, Command, Fault, Lists,
    Pattern, Place, Profile, Selector, Text,
};
use sgio_policy::policy::{Change, ChangeKind, Class, ParseErrorKind, ReportLuns, Rule, MAX_RULES};
use toml::Spanned;

/// What one file says.
pub(super) struct File {
    pub(super) include: Vec<At<String>>,
    pub(super) blocks: Vec<Block>,
    pub(super) classes: Vec<ClassBlock>,
    pub(super) filter_sg: Option<At<bool>>,
    pub(super) profiles: Vec<(String, Profile)>,
}

impl File {
    /// Tells whether it says nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.include.is_empty()
            && self.blocks.is_empty()
            && self.classes.is_empty()
            && self.filter_sg.is_none()
            && self.profiles.is_empty()
    }
}

/// Reads the text of a file.
pub(super) fn parse(file: &str, source: &str) -> Result<File, Vec<Fault>> {
    let text = Text::new(file, source);
    let raw: raw::File = toml::from_str(source).map_err(|error| vec![of_toml(&text, &error)])?;
    let mut reader = Reader {
        text,
        faults: Vec::new(),
    };
    let file = File {
        include: raw.include.iter().map(|s| reader.at(s)).collect(),
        blocks: raw.device.iter().map(|d| reader.block(d)).collect(),
        classes: raw
            .class
            .iter()
            .filter_map(|class| reader.class_block(class))
            .collect(),
        filter_sg: raw.all.as_ref().map(|all| reader.at(&all.filter_sg)),
        profiles: raw
            .profile
            .iter()
            .map(|(name, profile)| (name.clone(), reader.profile(profile)))
            .collect(),
    };
    if reader.faults.is_empty() {
        Ok(file)
    } else {
        Err(reader.faults)
    }
}

fn of_toml(text: &Text<'_>, error: &toml::de::Error) -> Fault {
    let place = match error.span() {
        Some(span) => text.place(span.start),
        None => Place::whole(text.file),
    };
    // The rest of a message of several lines is the parser's own trace.
    let mut message = error.message().replace('\n', ", ");
    if message.is_empty() {
        // It says nothing where a file ends too early.
        message = "unexpected end of the text".into();
    }
    let at = error.span().map(|span| span.start);
    let fix = mistake::fix(text.source, at, &message);
    Fault::new(&place, message, fix)
}

/// A text of `match`: itself alone, or with `*` for any characters.
fn of_text(text: &str, exact: bool) -> Pattern {
    if exact {
        Pattern::literal(text)
    } else {
        Pattern::new(text)
    }
}

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

struct Reader<'a> {
    text: Text<'a>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn at<T: Clone>(&self, value: &Spanned<T>) -> At<T> {
        At {
            value: value.get_ref().clone(),
            place: self.text.place(value.span().start),
        }
    }

    fn fault(&mut self, at: usize, message: impl Into<String>, fix: impl Into<String>) {
        let place = self.text.place(at);
        self.faults.push(Fault::new(&place, message, fix));
    }

    fn block(&mut self, raw: &Spanned<raw::Device>) -> Block {
        let device = raw.get_ref();
        let place = self.text.place(raw.span().start);
        let selector = self.selector(&device.selector);
        let class = selector.class.as_ref().map(|class| class.value);
        let no = || At {
            value: false,
            place: place.clone(),
        };
        let mut profiles: Vec<At<String>> = Vec::new();
        profiles.extend(device.profile.iter().map(|name| self.at(name)));
        if let Some(list) = &device.profiles {
            if device.profile.is_some() {
                let fix = "put all of them into profiles = [...], the strongest first";
                self.fault(list.span().start, "both profile and profiles", fix);
            }
            profiles.extend(list.get_ref().iter().map(|name| self.at(name)));
        }
        Block {
            unpriv_sgio: device.unpriv_sgio.as_ref().map_or_else(no, |v| self.at(v)),
            complain: device.complain.as_ref().map_or_else(no, |v| self.at(v)),
            report_luns: self.report_luns(device.report_luns.as_ref()),
            pr_exclusive: device.pr_exclusive.as_ref().is_some_and(|v| *v.get_ref()),
            filter_sg: device.filter_sg.as_ref().is_some_and(|v| *v.get_ref()),
            has_settings: device.rules.is_some()
                || device.unpriv_sgio.is_some()
                || device.complain.is_some()
                || device.report_luns.is_some()
                || device.pr_exclusive.is_some()
                || device.filter_sg.is_some(),
            own: self.lists(
                &device.deny,
                device.rules.as_ref(),
                &device.allow,
                class.as_slice(),
            ),
            place,
            selector,
            profiles,
        }
    }

    fn report_luns(&mut self, raw: Option<&raw::Str>) -> ReportLuns {
        let Some(raw) = raw else {
            return ReportLuns::Passthrough;
        };
        let name = raw.get_ref();
        ReportLuns::from_name(name.as_bytes()).unwrap_or_else(|| {
            let message = format!("report_luns is not '{name}'");
            self.fault(
                raw.span().start,
                &message,
                "write \"passthrough\" or \"own\"",
            );
            ReportLuns::Passthrough
        })
    }

    fn selector(&mut self, raw: &Spanned<raw::Match>) -> Selector {
        let start = raw.span().start;
        let raw = raw.get_ref();
        let exact = raw.exact.unwrap_or(false);
        let selector = Selector {
            place: self.text.place(start),
            wwid: self.wwid(raw.wwid.as_ref(), exact),
            serial: self.exact(raw.serial.as_ref(), exact),
            vendor: self.pattern(raw.vendor.as_ref(), exact),
            model: self.pattern(raw.model.as_ref(), exact),
            class: raw.class.as_ref().and_then(|name| self.class(name)),
            hctl: raw.hctl.as_ref().and_then(|text| {
                let parsed = text.get_ref().parse();
                if parsed.is_err() {
                    let message = format!("'{}' is no H:C:T:L address", text.get_ref());
                    let fix = "write host:channel:target:lun, like \"6:0:0:0\"";
                    self.fault(text.span().start, message, fix);
                }
                let place = self.text.place(text.span().start);
                parsed.ok().map(|value| At { value, place })
            }),
            transport: self.exact(raw.transport.as_ref(), exact),
            by_id: self.link(raw.by_id.as_ref(), "by-id", exact),
            by_path: self.link(raw.by_path.as_ref(), "by-path", exact),
            initiator: self.exact(raw.initiator.as_ref(), exact),
            interface: self.exact(raw.interface.as_ref(), exact),
            target: self.exact(raw.target.as_ref(), exact),
            multipath: self.exact(raw.multipath.as_ref(), exact).map(|mut map| {
                if let Some(name) = map.value.strip_prefix("/dev/mapper/") {
                    map.value = name.to_owned();
                }
                map
            }),
        };
        let given = [
            raw.wwid.is_some(),
            raw.serial.is_some(),
            raw.vendor.is_some(),
            raw.model.is_some(),
            raw.class.is_some(),
            raw.hctl.is_some(),
            raw.transport.is_some(),
            raw.by_id.is_some(),
            raw.by_path.is_some(),
            raw.initiator.is_some(),
            raw.interface.is_some(),
            raw.target.is_some(),
            raw.multipath.is_some(),
        ];
        if given.iter().all(|given| !given) {
            let fix = "name at least one key, like wwid, or class to mean all of a class";
            self.fault(start, "match is empty", fix);
        }
        selector
    }

    /// The name of a link, with its directory or without.
    fn link(&mut self, raw: Option<&raw::Str>, kind: &str, exact: bool) -> Option<At<Pattern>> {
        let mut pattern = self.pattern(raw, exact)?;
        for directory in ["disk", "tape"] {
            let prefix = format!("/dev/{directory}/{kind}/");
            if let Some(name) = pattern.value.text().strip_prefix(&prefix) {
                pattern.value = of_text(name, exact);
            }
        }
        Some(pattern)
    }

    fn pattern(&mut self, raw: Option<&raw::Str>, exact: bool) -> Option<At<Pattern>> {
        let raw = raw?;
        let text = self.text_value(raw)?;
        if !exact && text.value.contains(['?', '[', ']']) {
            let fix = "only * stands for other characters; with exact = true in match, every one means itself";
            self.fault(raw.span().start, "? and [ ] are no pattern here", fix);
        }
        Some(At {
            value: of_text(&text.value, exact),
            place: text.place,
        })
    }

    /// lsblk and udev write the WWN of a disk as a number, which is not all of its WWID.
    fn wwid(&mut self, raw: Option<&raw::Str>, exact: bool) -> Option<At<Pattern>> {
        let pattern = self.pattern(raw, exact)?;
        let text = pattern.value.text();
        let number = text.strip_prefix("wwn-").unwrap_or(text);
        if let Some(digits) = number.strip_prefix("0x").filter(|_| !exact) {
            let fix = format!("write wwid = \"naa.{digits}\", or by_id = \"wwn-0x{digits}\"");
            let at = raw.map_or(0, |raw| raw.span().start);
            self.fault(at, "this is a WWN as lsblk prints it, no WWID", fix);
        }
        Some(pattern)
    }

    fn exact(&mut self, raw: Option<&raw::Str>, exact: bool) -> Option<At<String>> {
        let raw = raw?;
        let text = self.text_value(raw)?;
        if text.value.contains('*') && !exact {
            let fix = "write it out, or select by wwid, vendor, model or by_id";
            self.fault(raw.span().start, "no * is possible here", fix);
        }
        Some(text)
    }

    /// A text that is not empty, without blanks at its ends, as devices are compared.
    fn text_value(&mut self, raw: &raw::Str) -> Option<At<String>> {
        let mut text = self.at(raw);
        text.value = text.value.trim().to_owned();
        if text.value.is_empty() {
            self.fault(
                raw.span().start,
                "an empty text",
                "give a value, or remove the key",
            );
            return None;
        }
        Some(text)
    }

    fn class(&mut self, raw: &raw::Str) -> Option<At<Class>> {
        let at = self.at(raw);
        let Some(value) = Class::from_name(&at.value) else {
            let message = format!("there is no class '{}'", at.value);
            let lower = at.value.to_lowercase();
            if Class::from_name(&lower).is_some() {
                self.fault(raw.span().start, message, format!("write \"{lower}\""));
                return None;
            }
            let fix = "use a name of /sys/kernel/sgio_filter/classes: disk, tape, cdrom, changer, \
                       raid, enclosure, zbc, ...";
            self.fault(raw.span().start, message, fix);
            return None;
        };
        Some(At {
            value,
            place: at.place,
        })
    }

    fn class_block(&mut self, raw: &Spanned<raw::Class>) -> Option<ClassBlock> {
        let start = raw.span().start;
        let raw = raw.get_ref();
        let class = self.class(&raw.name);
        let content = match (&raw.table, &raw.rules) {
            (Some(table), None) if matches!(table.get_ref().as_str(), "strict" | "stock") => {
                ClassContent::Table(table.get_ref().clone())
            }
            (Some(table), None) => {
                let message = format!("there is no table '{}'", table.get_ref());
                let fix = "use \"strict\" or \"stock\", in small letters";
                self.fault(table.span().start, message, fix);
                return None;
            }
            (None, Some(text)) => {
                let rules = self.rules(text);
                if rules.is_empty() {
                    let fix = "give table = \"strict\", or \"deny 00-ff\" to refuse everything";
                    self.fault(text.span().start, "rules without a rule", fix);
                }
                ClassContent::Rules(rules)
            }
            (Some(_), Some(text)) => {
                let fix = "keep one of them; rules replace the table";
                self.fault(text.span().start, "both table and rules", fix);
                return None;
            }
            (None, None) => {
                let fix = "give table = \"strict\", table = \"stock\" or rules";
                self.fault(start, "a class without table and rules", fix);
                return None;
            }
        };
        Some(ClassBlock {
            place: self.text.place(start),
            class: class?.value,
            content,
        })
    }

    fn profile(&mut self, raw: &Spanned<raw::Profile>) -> Profile {
        let place = self.text.place(raw.span().start);
        let raw = raw.get_ref();
        let classes: Vec<Class> = raw
            .classes
            .iter()
            .filter_map(|name| Some(self.class(name)?.value))
            .collect();
        Profile {
            place,
            description: raw.description.trim().to_owned(),
            why: raw.why.as_deref().unwrap_or_default().trim().to_owned(),
            lists: self.lists(&raw.deny, raw.rules.as_ref(), &raw.allow, &classes),
            classes,
        }
    }

    fn lists(
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

    fn commands(&mut self, items: &[raw::Str], deny: bool, classes: &[Class]) -> Vec<At<Command>> {
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
            let result = Command::new(item.get_ref(), deny).and_then(|command| {
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
    fn rules(&mut self, raw: &raw::Str) -> Vec<At<Rule>> {
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
