// SPDX-License-Identifier: GPL-2.0

//! Selectors that match nothing now, and what is there that is nearly so: the reason is a spelling, most likely.

use super::{
    impossible::{Impossible, TRANSPORTS},
    spelling, At, Pattern, Selector,
};
use crate::device::Device;
use std::collections::{BTreeMap, BTreeSet};

/// What devices say of themselves, by how it reads in small letters and without blanks.
#[derive(Default)]
pub(super) struct Near {
    texts: BTreeMap<&'static str, BTreeMap<String, String>>,
    transports: BTreeSet<String>,
}

/// A text as it is compared here.
fn plain(text: &str) -> String {
    let letters = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-'));
    letters.collect::<String>().to_lowercase()
}

impl Near {
    pub(super) fn of(devices: &[Device]) -> Near {
        let mut near = Near::default();
        for device in devices {
            near.transports.insert(device.transport.clone());
            let mut add = |key, text: &str| {
                let texts = near.texts.entry(key).or_default();
                texts.entry(plain(text)).or_insert_with(|| text.to_owned());
            };
            add("vendor", &device.vendor);
            add("model", &device.model);
            device.by_id.iter().for_each(|link| add("by_id", link));
            device.by_path.iter().for_each(|link| add("by_path", link));
            device
                .serial
                .iter()
                .for_each(|serial| add("serial", serial));
            device
                .ports
                .interface
                .iter()
                .for_each(|name| add("interface", name));
            device
                .multipath
                .iter()
                .for_each(|map| add("multipath", &map.name));
        }
        near
    }

    /// The keys of a selector that are written in another way than any device has it.
    pub(super) fn wrong(&self, selector: &Selector) -> Vec<Impossible> {
        let mut wrong = Vec::new();
        let patterns = [
            ("vendor", &selector.vendor),
            ("model", &selector.model),
            ("by_id", &selector.by_id),
            ("by_path", &selector.by_path),
        ];
        for (name, key) in patterns {
            wrong.extend(key.as_ref().and_then(|key| self.pattern(name, key)));
        }
        for (name, key) in [
            ("interface", &selector.interface),
            ("multipath", &selector.multipath),
        ] {
            let key = key.as_ref().map(|key| At {
                value: Pattern::literal(key.value.as_str()),
                place: key.place.clone(),
            });
            wrong.extend(key.and_then(|key| self.pattern(name, &key)));
        }
        if let Some(At { value, place }) = &selector.transport {
            let name = spelling::transport(value);
            if !TRANSPORTS.contains(&name.as_str()) && !self.transports.contains(&name) {
                let here: Vec<&str> = self.transports.iter().map(String::as_str).collect();
                let message = format!("no device has the transport '{value}'");
                let fix = format!(
                    "use one of {}, or a driver's name of 'sgioctl list'; here there are {}",
                    TRANSPORTS.join(", "),
                    here.join(", ")
                );
                wrong.push((place.clone(), message, fix));
            }
        }
        wrong
    }

    fn pattern(&self, name: &'static str, key: &At<Pattern>) -> Option<Impossible> {
        let texts = self.texts.get(name)?;
        if texts.values().any(|text| key.value.matches(text)) {
            return None;
        }
        let text = key.value.text();
        if text.contains(".*") && !key.value.is_literal() {
            let fixed = text.replace(".*", "*");
            let pattern = Pattern::new(fixed.as_str());
            if texts.values().any(|text| pattern.matches(text)) {
                let fix = format!("write {name} = \"{fixed}\": * alone stands for any characters");
                return Some((
                    key.place.clone(),
                    format!("no {name} is like '{text}'"),
                    fix,
                ));
            }
        }
        let loose = Pattern::new(plain(text));
        let (_, found) = texts.iter().find(|(plain, _)| loose.matches(plain))?;
        let message = format!("no {name} is '{text}', and case counts here");
        let fix = match key.value.is_glob() {
            true => format!("write it as in \"{found}\""),
            false => format!("write {name} = \"{found}\""),
        };
        Some((key.place.clone(), message, fix))
    }
}
