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
    /// The ports of targets, and the WWIDs of the units behind one of them, as hex digits alone.
    targets: BTreeMap<String, String>,
    units: BTreeMap<String, String>,
    /// Serial numbers by model and serial number, as udev joins them (`ID_SERIAL`), and model by vendor and model, as
    /// lsscsi and people do.
    id_serials: BTreeMap<String, String>,
    products: BTreeMap<String, (String, String)>,
    /// WWIDs without regard to how many blanks there are.
    names: BTreeMap<String, String>,
}

/// A WWID with one blank for each run of them.
fn one_blank(wwid: &str) -> String {
    let words: Vec<&str> = wwid
        .split([' ', '_'])
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").to_ascii_lowercase()
}

/// A text as it is compared here.
fn plain(text: &str) -> String {
    let letters = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-'));
    letters.collect::<String>().to_lowercase()
}

/// A port's or a unit's number by its hex digits: `naa.5000...`, `0x5000...` and `50:00:...` are one number.
fn digits(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let number = ["naa.", "wwn-0x", "0x"]
        .iter()
        .find_map(|start| lower.strip_prefix(start))
        .unwrap_or(&lower);
    number.replace([':', '-'], "")
}

impl Near {
    pub(super) fn of(devices: &[Device]) -> Near {
        let mut near = Near::default();
        for device in devices {
            near.transports.insert(device.transport.clone());
            let wwid = device.wwid.as_deref().unwrap_or_default();
            if let Some(port) = &device.ports.target {
                near.targets.insert(digits(port), wwid.to_owned());
            }
            near.units.insert(digits(wwid), wwid.to_owned());
            let product = [device.vendor.as_str(), device.model.as_str()];
            if let Some(serial) = &device.serial {
                for model in [device.model.clone(), product.concat()] {
                    near.id_serials
                        .insert(plain(&(model + serial)), serial.clone());
                }
            }
            let product_names = (device.vendor.clone(), device.model.clone());
            near.products
                .insert(plain(&product.concat()), product_names);
            near.names.insert(one_blank(wwid), wwid.to_owned());
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
        wrong.extend(selector.serial.as_ref().and_then(|key| self.serial(key)));
        wrong.extend(selector.model.as_ref().and_then(|key| self.product(key)));
        wrong.extend(selector.wwid.as_ref().and_then(|key| self.wwid(key)));
        wrong.extend(selector.target.as_ref().and_then(|key| self.target(key)));
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

    /// Vendor and model are two keys.
    fn product(&self, key: &At<Pattern>) -> Option<Impossible> {
        let text = key.value.text();
        let (vendor, model) = self.products.get(&plain(text))?;
        let alone = self
            .texts
            .get("model")
            .is_some_and(|models| models.contains_key(&plain(text)));
        let message = format!("no model is '{text}': the vendor is a key of its own");
        let fix = format!("write vendor = \"{vendor}\", model = \"{model}\"");
        (!alone).then(|| (key.place.clone(), message, fix))
    }

    /// Case counts in serial numbers.
    fn serial(&self, key: &At<String>) -> Option<Impossible> {
        let known = self.texts.get("serial")?;
        if known
            .values()
            .any(|own| spelling::same_serial(own, &key.value))
        {
            return None;
        }
        let plain = plain(&key.value);
        let found = known.get(&plain).or_else(|| self.id_serials.get(&plain))?;
        let message = format!("no device has the serial number '{}'", key.value);
        Some((
            key.place.clone(),
            message,
            format!("write serial = \"{found}\""),
        ))
    }

    /// A target's port has a number that looks like a WWID.
    fn wwid(&self, key: &At<Pattern>) -> Option<Impossible> {
        let wwid = self.names.get(&one_blank(key.value.text()));
        if let Some(wwid) = wwid.filter(|wwid| !wwid.is_empty() && wwid.contains("  ")) {
            let message = format!(
                "no device has the WWID '{}': blanks count in it",
                key.value.text()
            );
            return Some((
                key.place.clone(),
                message,
                format!("write wwid = \"{wwid}\""),
            ));
        }
        let number = digits(key.value.text());
        let unit = self.targets.get(&number)?;
        if self.units.contains_key(&number) {
            return None;
        }
        let message = format!(
            "'{}' is the number of a target's port, and no WWID",
            key.value.text()
        );
        let fix = match unit.as_str() {
            "" => format!("write target = \"0x{number}\""),
            unit => format!(
                "write target = \"0x{number}\" for all units behind it, or wwid = \"{unit}\" for one"
            ),
        };
        Some((key.place.clone(), message, fix))
    }

    /// And a unit has one that looks like a port's.
    fn target(&self, key: &At<String>) -> Option<Impossible> {
        let number = digits(&key.value);
        let message = |what: &str| format!("'{}' {what}", key.value);
        if self.targets.contains_key(&number) {
            // Only its spelling is another one.
            let message = message("is the number of a port, in another spelling");
            let fix = format!("write target = \"0x{number}\"");
            let other = key.value.to_ascii_lowercase().starts_with("naa.");
            return other.then(|| (key.place.clone(), message, fix));
        }
        let unit = self.units.get(&number).filter(|unit| !unit.is_empty())?;
        let message = message("is the WWID of a unit, and no target");
        Some((
            key.place.clone(),
            message,
            format!("write wwid = \"{unit}\""),
        ))
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
