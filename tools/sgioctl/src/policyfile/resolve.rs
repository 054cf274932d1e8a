// SPDX-License-Identifier: GPL-2.0

//! What the files make of a device.

use super::{
    select::as_scsi_id, At, Block, Command, Fault, Faults, Lists, Maps, Place, Policies, Selector,
};
use crate::{device::Device, settings::Settings};
use sgio_policy::policy::{Class, Rule, MAX_RULES};
use std::collections::HashMap;

/// A rule of a device, and where it comes from.
#[derive(Clone)]
pub struct Entry {
    /// The rule.
    pub rule: Rule,
    /// Where it stands, or the command it was made from.
    pub place: Place,
    /// By which key it came.
    pub origin: Origin,
}

/// By which key of a block a rule came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// `deny`, `rules` or `allow`.
    Own,
    /// The profile of that name.
    Profile(String),
}

/// What a device gets.
#[derive(Clone)]
pub struct Resolved<'a> {
    /// The device.
    pub device: &'a Device,
    /// The number of the block that has the say; none: the defaults.
    pub block: Option<usize>,
    /// Its settings.
    pub settings: Settings,
    /// Its rules.
    pub entries: Vec<Entry>,
}

impl Resolved<'_> {
    /// Its rules as text, one a line.
    pub fn rules(&self) -> String {
        let lines = self.entries.iter().map(|entry| format!("{}\n", entry.rule));
        lines.collect()
    }
}

/// The blocks by the WWID that they name: of thousands of blocks, most name one unit each.
pub struct Index<'a> {
    blocks: &'a [Block],
    by_wwid: HashMap<String, Vec<usize>>,
    /// Those that name no WWID, or a pattern.
    others: Vec<usize>,
}

impl<'a> Index<'a> {
    /// The index of some blocks.
    pub fn new(blocks: &'a [Block]) -> Index<'a> {
        let mut index = Index {
            blocks,
            by_wwid: HashMap::new(),
            others: Vec::new(),
        };
        for (number, block) in blocks.iter().enumerate() {
            match &block.selector.wwid {
                Some(wwid) if !wwid.value.is_glob() => {
                    let key = wwid.value.text().to_ascii_lowercase();
                    index.by_wwid.entry(key).or_default().push(number);
                }
                _ => index.others.push(number),
            }
        }
        index
    }

    /// The number of the block that has the say on a device: the first that matches.
    pub fn block_of(&self, device: &Device, maps: &Maps) -> Option<usize> {
        let wwid = device.wwid.as_deref().unwrap_or_default();
        let spellings = [wwid.to_ascii_lowercase(), as_scsi_id(wwid)];
        let named = spellings.iter().filter_map(|key| self.by_wwid.get(key));
        let first = |numbers: &Vec<usize>| {
            numbers.iter().copied().find(|number| {
                let block = self.blocks.get(*number);
                block.is_some_and(|block| block.selector.matches(device, maps))
            })
        };
        named.chain([&self.others]).filter_map(first).min()
    }
}

impl Policies {
    /// The number of the block that has the say on a device: the first that matches.
    pub fn block_of(&self, device: &Device, maps: &Maps) -> Option<usize> {
        let matches = |block: &Block| block.selector.matches(device, maps);
        self.blocks.iter().position(matches)
    }

    /// The rules that a block makes for a device of a class: `deny`, `rules`, `allow`, profiles.
    ///
    /// # Errors
    ///
    /// Commands and profiles that are not for that class; too many rules.
    pub fn entries(&self, block: &Block, class: Class) -> Result<Vec<Entry>, Vec<Fault>> {
        let mut entries = Vec::new();
        let mut faults = Vec::new();
        add(&block.own, class, &Origin::Own, &mut entries, &mut faults);
        for At { value, place } in &block.profiles {
            match self.profiles.usable(value, Some(class)) {
                Ok(profile) => {
                    let origin = Origin::Profile(value.clone());
                    add(&profile.lists, class, &origin, &mut entries, &mut faults);
                }
                Err((message, fix)) => faults.push(Fault::new(place, message, fix)),
            }
        }
        if entries.len() > MAX_RULES {
            let message = format!("{} rules; a device can have {MAX_RULES}", entries.len());
            faults.push(Fault::new(&block.place, message, "join or drop rules"));
        }
        if faults.is_empty() {
            Ok(entries)
        } else {
            Err(faults)
        }
    }

    /// What the blocks ask of devices, by the names of [`Device::unknown`].
    fn asked(&self) -> Vec<&'static str> {
        type Asks = fn(&Selector) -> bool;
        let keys: [(&'static str, Asks); 6] = [
            ("wwid", |s| s.wwid.is_some() || s.multipath.is_some()),
            ("serial", |s| s.serial.is_some()),
            ("vendor", |s| s.vendor.is_some()),
            ("model", |s| s.model.is_some()),
            ("transport", |s| s.transport.is_some()),
            ("ports", |s| {
                s.initiator.is_some() || s.interface.is_some() || s.target.is_some()
            }),
        ];
        let is_asked = |key: fn(&Selector) -> bool| self.blocks.iter().any(|b| key(&b.selector));
        let asked = keys.into_iter().filter(|(_, key)| is_asked(*key));
        asked.map(|(name, _)| name).collect()
    }

    /// What each device gets, in the order of `devices`.
    ///
    /// # Errors
    ///
    /// As of [`entries`](Self::entries), with the devices.
    pub fn resolve<'a>(&self, devices: &'a [Device]) -> Result<Vec<Resolved<'a>>, Faults> {
        let all: Vec<&Device> = devices.iter().collect();
        self.resolve_some(&all, &Maps::of(devices))
    }

    /// The same for some of the devices, with the multipath maps of all.
    ///
    /// # Errors
    ///
    /// As of [`resolve`](Self::resolve).
    pub fn resolve_some<'a>(
        &self,
        devices: &[&'a Device],
        maps: &Maps,
    ) -> Result<Vec<Resolved<'a>>, Faults> {
        let mut resolved = Vec::new();
        let mut faults = Vec::new();
        let index = Index::new(&self.blocks);
        let asked = self.asked();
        for device in devices {
            let unknown: Vec<&str> = device
                .unknown
                .iter()
                .copied()
                .filter(|name| asked.contains(name))
                .collect();
            if let (false, Some(first)) = (unknown.is_empty(), self.blocks.first()) {
                let (hctl, names) = (device.hctl, unknown.join(", "));
                let message =
                    format!("{hctl}: its {names} could not be read: unknown which block is meant");
                let fix = "look at its files in sysfs, and try again";
                faults.push(Fault::new(&first.place, message, fix));
            }
            let mut state = Resolved {
                device,
                block: index.block_of(device, maps),
                settings: Settings::DEFAULT,
                entries: Vec::new(),
            };
            if let Some(block) = state.block.and_then(|number| self.blocks.get(number)) {
                state.settings = block.settings();
                match self.entries(block, device.class) {
                    Ok(entries) => state.entries = entries,
                    Err(wrong) => faults.extend(wrong.into_iter().map(|mut fault| {
                        let class = device.class.name();
                        fault.message += &format!(" (for {}, class {class})", device.hctl);
                        fault
                    })),
                }
            }
            resolved.push(state);
        }
        if faults.is_empty() {
            Ok(resolved)
        } else {
            faults.sort();
            Err(Faults(faults))
        }
    }
}

fn add(
    lists: &Lists,
    class: Class,
    origin: &Origin,
    entries: &mut Vec<Entry>,
    faults: &mut Vec<Fault>,
) {
    let entry = |rule, place: &Place| Entry {
        rule,
        place: place.clone(),
        origin: origin.clone(),
    };
    let mut commands = |list: &[At<Command>], entries: &mut Vec<Entry>| {
        for At { value, place } in list {
            match value.rules(class) {
                Ok(rules) => entries.extend(rules.into_iter().map(|rule| entry(rule, place))),
                Err(message) => {
                    let fix = "use a command of that class, or select by class in match";
                    faults.push(Fault::new(place, message, fix));
                }
            }
        }
    };
    commands(&lists.deny, entries);
    entries.extend(lists.rules.iter().map(|at| entry(at.value, &at.place)));
    commands(&lists.allow, entries);
}
