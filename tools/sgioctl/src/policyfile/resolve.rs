// SPDX-License-Identifier: GPL-2.0

//! What the files make of a device.

use super::{At, Block, CommandItem, Fault, Faults, Index, Lists, Maps, Place, Policies, Selector};
use crate::{device::Device, settings::Settings};
use sgio_policy::policy::{Action, Class, Rule, MAX_RULES};
use std::{collections::HashMap, sync::Arc};

/// A rule of a device, and where it comes from.
#[derive(Clone)]
pub struct PlacedRule {
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
    /// The number of the block that decides; none: the defaults.
    pub block: Option<usize>,
    /// Its settings.
    pub settings: Settings,
    rules: Arc<Made>,
}

/// The rules of a block for a class, made once for all of its devices.
#[derive(Default)]
struct Made {
    entries: Vec<PlacedRule>,
    text: String,
}

impl Made {
    fn of(entries: Vec<PlacedRule>) -> Made {
        let lines = entries.iter().map(|entry| format!("{}\n", entry.rule));
        let text = lines.collect();
        Made { entries, text }
    }
}

impl Resolved<'_> {
    /// Its rules, and where they come from.
    pub fn entries(&self) -> &[PlacedRule] {
        &self.rules.entries
    }

    /// Its rules as text, one a line.
    pub fn rules(&self) -> &str {
        &self.rules.text
    }
}

impl Policies {
    /// The number of the block that decides on a device: the first that matches.
    pub fn block_of(&self, device: &Device, maps: &Maps) -> Option<usize> {
        let matches = |block: &Block| block.selector.matches(device, maps);
        self.blocks.iter().position(matches)
    }

    /// The rules that a block makes for a device of a class: `deny`, `rules`, `allow`, profiles.
    ///
    /// # Errors
    ///
    /// Commands and profiles that are not for that class; too many rules.
    pub fn entries(&self, block: &Block, class: Class) -> Result<Vec<PlacedRule>, Vec<Fault>> {
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

    /// What all blocks select by.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        let grants = self.grants.iter().map(|grant| &grant.block);
        self.blocks
            .iter()
            .chain(grants)
            .map(|block| &block.selector)
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
        let is_asked = |key: fn(&Selector) -> bool| self.selectors().any(key);
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
        match self.resolve_apart(devices, maps)? {
            (resolved, misfits) if misfits.is_empty() => Ok(resolved),
            (_, misfits) => Err(Faults(misfits)),
        }
    }

    /// The same, and apart from that what is wrong with single devices: those of a class that their block is not for. They
    /// get what the block denies, and what narrows among its settings, so that one device that was plugged in does not
    /// keep the policy from all others.
    ///
    /// # Errors
    ///
    /// Too many rules; a device of which could not be read what a block asks for.
    pub fn resolve_apart<'a>(
        &self,
        devices: &[&'a Device],
        maps: &Maps,
    ) -> Result<(Vec<Resolved<'a>>, Vec<Fault>), Faults> {
        let mut resolved = Vec::new();
        let mut faults = Vec::new();
        let mut misfits = Vec::new();
        let index = Index::new(&self.blocks);
        let mut made: HashMap<(usize, u8), Result<Arc<Made>, Vec<Fault>>> = HashMap::new();
        let nothing = Arc::new(Made::default());
        let asked = self.asked();
        for device in devices {
            let unknown: Vec<&str> = device
                .unknown
                .iter()
                .copied()
                .filter(|name| asked.contains(name))
                .collect();
            if let (false, Some(first)) = (unknown.is_empty(), self.selectors().next()) {
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
                rules: nothing.clone(),
            };
            let numbered = state.block.and_then(|n| Some((n, self.blocks.get(n)?)));
            if let Some((number, block)) = numbered {
                state.settings = block.settings();
                let key = (number, device.class.type_code());
                let rules = made.entry(key).or_insert_with(|| {
                    let entries = self.entries(block, device.class);
                    entries.map(|entries| Arc::new(Made::of(entries)))
                });
                match rules {
                    Ok(rules) => state.rules = rules.clone(),
                    Err(wrong) => {
                        // A block that names its class is wrong for all of its devices, as one with too many rules is.
                        let is_of_file = block.selector.class.is_some()
                            || wrong.iter().any(|fault| fault.place == block.place);
                        let list = match is_of_file {
                            true => &mut faults,
                            false => &mut misfits,
                        };
                        list.extend(wrong.iter().cloned().map(|mut fault| {
                            let class = device.class.name();
                            fault.message += &format!(" (for {}, class {class})", device.hctl);
                            fault
                        }));
                        state.settings = block.settings().without_what_widens();
                        state.rules = Arc::new(Made::of(denials(block, device.class)));
                    }
                }
            }
            resolved.push(state);
        }
        misfits.sort();
        if faults.is_empty() {
            Ok((resolved, misfits))
        } else {
            faults.append(&mut misfits);
            faults.sort();
            Err(Faults(faults))
        }
    }
}

/// What a block denies to devices of a class that it is not for, as far as it can be said of that class.
fn denials(block: &Block, class: Class) -> Vec<PlacedRule> {
    let mut entries = Vec::new();
    add(
        &block.own,
        class,
        &Origin::Own,
        &mut entries,
        &mut Vec::new(),
    );
    entries.retain(|entry| entry.rule.action() == Action::Deny);
    entries
}

fn add(
    lists: &Lists,
    class: Class,
    origin: &Origin,
    entries: &mut Vec<PlacedRule>,
    faults: &mut Vec<Fault>,
) {
    let entry = |rule, place: &Place| PlacedRule {
        rule,
        place: place.clone(),
        origin: origin.clone(),
    };
    let mut commands = |list: &[At<CommandItem>], entries: &mut Vec<PlacedRule>| {
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
