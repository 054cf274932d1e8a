// SPDX-License-Identifier: GPL-2.0

//! `match`: which devices a block is for.

use super::{
    super::{impossible, raw, At, Pattern, Selector},
    reader::Reader,
};
use toml::Spanned;

/// A text of `match`: itself alone, or with `*` for any characters.
fn of_text(text: &str, exact: bool) -> Pattern {
    if exact {
        Pattern::literal(text)
    } else {
        Pattern::new(text)
    }
}

impl Reader<'_> {
    pub(super) fn selector(&mut self, raw: &Spanned<raw::Match>) -> Selector {
        let start = raw.span().start;
        let raw = raw.get_ref();
        let exact = raw.exact.unwrap_or(false);
        let selector = Selector {
            place: self.text.place(start),
            exact,
            wwid: self.wwid(raw.wwid.as_ref(), exact),
            serial: self.exact(raw.serial.as_ref(), exact),
            vendor: self.pattern(raw.vendor.as_ref(), exact),
            model: self.pattern(raw.model.as_ref(), exact),
            class: raw.class.as_ref().and_then(|name| self.class(name)),
            hctl: raw.hctl.as_ref().and_then(|text| {
                let parsed = text.get_ref().parse();
                if parsed.is_err() {
                    let message = format!("'{}' is no H:C:T:L address", text.get_ref());
                    // lsscsi prints addresses in brackets.
                    let plain = text.get_ref().trim_matches(|c: char| "[] ".contains(c));
                    let fix = match plain.parse::<crate::device::Hctl>() {
                        Ok(address) => format!("write hctl = \"{address}\""),
                        Err(_) => "write host:channel:target:lun, like \"6:0:0:0\"".to_owned(),
                    };
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
        let text = self.text_value(raw, exact)?;
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
            // Of a WWID of 32 digits, lsblk prints the first half.
            let fix = impossible::of_wwn(digits);
            let at = raw.map_or(0, |raw| raw.span().start);
            self.fault(at, "this is a WWN as lsblk prints it, no WWID", fix);
        }
        Some(pattern)
    }

    fn exact(&mut self, raw: Option<&raw::Str>, exact: bool) -> Option<At<String>> {
        let raw = raw?;
        let text = self.text_value(raw, exact)?;
        if text.value.contains('*') && !exact {
            let fix = "write it out, or select by wwid, vendor, model, by_id or by_path, where * stands for any characters";
            self.fault(raw.span().start, "no * is possible here", fix);
        }
        Some(text)
    }

    /// A text that is not empty, without blanks at its ends, as devices are compared.
    fn text_value(&mut self, raw: &raw::Str, exact: bool) -> Option<At<String>> {
        let mut text = self.at(raw);
        let trimmed = text.value.trim().to_owned();
        if exact && trimmed != text.value && !trimmed.is_empty() {
            let fix = format!("write \"{trimmed}\": devices are compared without them");
            let message = "blanks at the ends of a text that is to be exact";
            self.fault(raw.span().start, message, fix);
        }
        text.value = trimmed;
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
}
