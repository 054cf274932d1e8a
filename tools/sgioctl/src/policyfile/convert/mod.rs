// SPDX-License-Identifier: GPL-2.0

//! From the text of one file to what it says, or to all that is wrong with it.

mod grant;
mod lists;
mod reader;
mod selector;

use self::reader::Reader;
use super::{
    mistake, raw, At, Block, ClassBlock, ClassContent, Fault, GrantBlock, Place, Profile, Text,
};
use sgio_policy::policy::{Class, ReportLuns};
use toml::Spanned;

/// What one file says.
pub(super) struct File {
    pub(super) include: Vec<At<String>>,
    pub(super) blocks: Vec<Block>,
    pub(super) classes: Vec<ClassBlock>,
    pub(super) grants: Vec<GrantBlock>,
    pub(super) filter_sg: Option<At<bool>>,
    pub(super) profiles: Vec<(String, Profile)>,
}

impl File {
    /// Tells whether it says nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.include.is_empty()
            && self.blocks.is_empty()
            && self.classes.is_empty()
            && self.grants.is_empty()
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
        grants: raw
            .grant
            .iter()
            .filter_map(|grant| reader.grant(grant))
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

impl Reader<'_> {
    fn block(&mut self, raw: &Spanned<raw::Device>) -> Block {
        let device = raw.get_ref();
        let place = self.text.place(raw.span().start);
        let selector = self.selector(&device.selector);
        let class = selector.class.as_ref().map(|class| class.value);
        let no = || At {
            value: false,
            place: place.clone(),
        };
        let profiles = self.profiles(device.profile.as_ref(), device.profiles.as_ref());
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

    /// `profile` or `profiles`.
    fn profiles(
        &mut self,
        one: Option<&raw::Str>,
        several: Option<&Spanned<Vec<raw::Str>>>,
    ) -> Vec<At<String>> {
        let mut profiles: Vec<At<String>> = one.into_iter().map(|name| self.at(name)).collect();
        if let Some(list) = several {
            if one.is_some() {
                let fix = "put all of them into profiles = [...], the strongest first";
                self.fault(list.span().start, "both profile and profiles", fix);
            }
            profiles.extend(list.get_ref().iter().map(|name| self.at(name)));
        }
        profiles
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
}
