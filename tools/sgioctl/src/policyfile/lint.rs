// SPDX-License-Identifier: GPL-2.0

//! What a policy says that is legal and most likely not meant.

use super::{
    impossible::impossible,
    near::Near,
    overlap::{overlap, Overlap},
    At, Block, ClassContent, Entry, Fault, Index, Maps, Origin, Place, Policies,
};
use crate::{device::Device, names};
use serde::Serialize;
use sgio_policy::policy::{Access, Action, ByteSet, Class, Field, Rule, MAX_CDB};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing would be applied.
    Error,
    /// Most likely a mistake, or dangerous.
    Warning,
    /// Good to know.
    Note,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
pub struct Finding {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl From<Fault> for Finding {
    fn from(fault: Fault) -> Finding {
        Finding {
            place: fault.place,
            severity: Severity::Error,
            message: fault.message,
            fix: fault.fix,
        }
    }
}

/// What is known of a CDB on a class: [`NAMES`], or what a test says.
pub type Decode = fn(&[u8], Class) -> (Option<String>, bool);

/// The name of a command, and whether it is destructive, as [`names::decode`] has it.
pub const NAMES: Decode = |cdb, class| {
    let decoded = names::decode(cdb, class);
    (decoded.name, decoded.destructive)
};

/// The classes whose opcodes differ most: where a block does not say which, these are compared.
const TYPICAL: [Class; 5] = [
    Class::DISK,
    Class::TAPE,
    Class::CDROM,
    Class::CHANGER,
    Class::ENCLOSURE,
];

/// Looks at policies; `devices` are those there are now, if that is known.
pub fn lint(policies: &Policies, devices: Option<&[Device]>, decode: Decode) -> Vec<Finding> {
    let mut lint = Lint {
        policies,
        decode,
        findings: Vec::new(),
        seen: HashSet::new(),
    };
    let none: &[Device] = &[];
    let maps = Maps::of(devices.unwrap_or(none));
    for Fault {
        place,
        message,
        fix,
    } in &policies.warnings
    {
        lint.warn(place, message, fix);
    }
    let mut near = None;
    let index = Index::new(&policies.blocks);
    // Per block: its devices, and the first block that each of them matches.
    let mut matched: Vec<Vec<(&Device, usize)>> = vec![Vec::new(); policies.blocks.len()];
    for device in devices.unwrap_or(none) {
        let blocks = index.blocks_of(device, &maps);
        for number in &blocks {
            if let (Some(of_block), Some(first)) = (matched.get_mut(*number), blocks.first()) {
                of_block.push((device, *first));
            }
        }
    }
    for ((number, block), matched) in policies.blocks.iter().enumerate().zip(matched) {
        let never = impossible(&block.selector);
        for (place, message, fix) in &never {
            lint.warn(place, message, fix);
        }
        if let (Some(devices), true) = (devices, matched.is_empty() && never.is_empty()) {
            let near = near.get_or_insert_with(|| Near::of(devices));
            let wrong = near.wrong(&block.selector);
            for (place, message, fix) in &wrong {
                lint.warn(place, message, fix);
            }
            if wrong.is_empty() {
                let fix = "nothing to do if it is still to come";
                lint.note(&block.selector.place, "no device matches now", fix);
            }
        }
        lint.says_nothing(block);
        let devices: Vec<&Device> = matched.iter().map(|(device, _)| *device).collect();
        lint.several(block, &devices);
        lint.switches(block);
        lint.overlaps(number, block, &matched, &index);
        lint.rules(block, &devices);
    }
    for block in &policies.classes {
        if let ClassContent::Rules(rules) = &block.content {
            let entry = |rule: &At<Rule>| Entry {
                rule: rule.value,
                place: rule.place.clone(),
                origin: Origin::Own,
            };
            let entries: Vec<Entry> = rules.iter().map(entry).collect();
            lint.shadowed(&entries);
            lint.destructive(&entries, block.class);
        }
    }
    lint.findings.sort();
    lint.findings.dedup();
    lint.findings
}

struct Lint<'a> {
    policies: &'a Policies,
    decode: Decode,
    findings: Vec<Finding>,
    /// Profiles, by class, that were looked at behind no rules of a block's own: a thousand blocks may have the same.
    seen: HashSet<(Vec<String>, u8)>,
}

impl Lint<'_> {
    fn add(&mut self, severity: Severity, place: &Place, message: &str, fix: &str) {
        self.findings.push(Finding {
            place: place.clone(),
            severity,
            message: message.to_owned(),
            fix: fix.to_owned(),
        });
    }

    fn warn(&mut self, place: &Place, message: &str, fix: &str) {
        self.add(Severity::Warning, place, message, fix);
    }

    fn note(&mut self, place: &Place, message: &str, fix: &str) {
        self.add(Severity::Note, place, message, fix);
    }

    /// Only the first block that matches decides, so one that sets nothing gives the defaults.
    fn says_nothing(&mut self, block: &Block) {
        let lists = &block.own;
        let none = lists.deny.is_empty()
            && lists.rules.is_empty()
            && lists.allow.is_empty()
            && block.profiles.is_empty()
            && !block.has_settings;
        if none {
            let message =
                "this block only matches: its devices get the defaults of their class, and no \
                           later block is asked";
            let fix = "add profile, deny, rules or allow, or rules = \"\" if that is meant";
            self.warn(&block.place, message, fix);
        }
    }

    /// A pattern that was meant for the units of one product may match what another device says of
    /// itself.
    fn several(&mut self, block: &Block, matched: &[&Device]) {
        let keys = [&block.selector.wwid, &block.selector.by_id];
        let patterns = keys.into_iter().flatten();
        for key in patterns.filter(|key| key.value.is_glob()) {
            let units: BTreeSet<&str> = matched
                .iter()
                .map(|device| device.wwid.as_deref().unwrap_or("(no WWID)"))
                .collect();
            if units.len() < 2 {
                continue;
            }
            let products: BTreeSet<(&str, &str)> = matched
                .iter()
                .map(|device| (device.vendor.as_str(), device.model.as_str()))
                .collect();
            let count = units.len();
            if products.len() > 1 {
                let of = products.len();
                let message =
                    format!("the pattern matches {count} logical units of {of} different products");
                let fix = "narrow it, add vendor and model, or write it out with exact = true";
                self.warn(&key.place, &message, fix);
            } else {
                let message = format!("the pattern matches {count} logical units");
                let fix = "nothing to do if that is meant";
                self.note(&key.place, &message, fix);
            }
        }
    }

    fn switches(&mut self, block: &Block) {
        if block.unpriv_sgio.value {
            let message = "unpriv_sgio gives every command to everybody who can open the device, \
                           firmware and SANITIZE included; no rule is asked";
            let fix = "allow the commands that are needed";
            self.warn(&block.unpriv_sgio.place, message, fix);
        }
        if block.complain.value {
            let message = "complain lets through what is refused";
            let fix = "take it out when it is known what the workload sends";
            self.warn(&block.complain.place, message, fix);
        }
    }

    fn overlaps(
        &mut self,
        number: usize,
        block: &Block,
        matched: &[(&Device, usize)],
        index: &Index<'_>,
    ) {
        let fix = "narrow one of the selectors; only the first that matches decides";
        let place = &block.selector.place;
        // By the block that wins: the first device that matches both.
        let mut both: BTreeMap<usize, &Device> = BTreeMap::new();
        for (device, first) in matched.iter().filter(|(_, first)| *first < number) {
            both.entry(*first).or_insert(device);
        }
        let mut possible: Option<(&Place, usize)> = None;
        for before in index.before(number) {
            let Some(earlier) = self.policies.blocks.get(before) else {
                continue;
            };
            if let Some(device) = both.get(&before) {
                let hctl = device.hctl;
                let message = format!("{hctl} matches {} too, which wins", earlier.place);
                self.warn(place, &message, fix);
                continue;
            }
            match overlap(&earlier.selector, &block.selector) {
                Overlap::None => {}
                Overlap::Possible => match &mut possible {
                    Some((_, more)) => *more += 1,
                    None => possible = Some((&earlier.place, 0)),
                },
                Overlap::Covers => {
                    let message = format!("all of it matches {}, which wins", earlier.place);
                    self.warn(place, &message, fix);
                    // So does what follows it.
                    break;
                }
            }
        }
        if let Some((first, more)) = possible {
            let more = match more {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let message = format!("a device might match {first} too{more}");
            self.note(place, &message, fix);
        }
    }

    fn rules(&mut self, block: &Block, matched: &[&Device]) {
        let mut classes: Vec<Class> = block.selector.class.iter().map(|c| c.value).collect();
        for device in matched {
            if !classes.contains(&device.class) {
                classes.push(device.class);
            }
        }
        if classes.is_empty() {
            classes = block.profiles.iter().fold(Vec::new(), |mut all, name| {
                let profile = self.policies.profiles.get(&name.value);
                all.extend(profile.iter().flat_map(|profile| profile.classes.iter()));
                all
            });
            classes.truncate(1);
        }
        if classes.is_empty() {
            classes.push(Class::DISK);
        }
        let own = &block.own;
        let plain = own.deny.is_empty() && own.rules.is_empty() && own.allow.is_empty();
        let profiles: Vec<String> = block
            .profiles
            .iter()
            .map(|name| name.value.clone())
            .collect();
        for class in &classes {
            if plain && !self.seen.insert((profiles.clone(), class.type_code())) {
                continue;
            }
            match self.policies.entries(block, *class) {
                Ok(entries) => {
                    self.shadowed(&entries);
                    self.destructive(&entries, *class);
                }
                Err(faults) => self.findings.extend(faults.into_iter().map(Finding::from)),
            }
        }
        if block.selector.class.is_none() && !block.selector.is_one_unit() {
            if let Ok(entries) = self.policies.entries(block, classes[0]) {
                self.other_meanings(&entries);
            }
        }
    }

    /// Rules that never decide. What a profile says may well be overruled: only rules of one
    /// origin are compared.
    fn shadowed(&mut self, entries: &[Entry]) {
        for (number, entry) in entries.iter().enumerate() {
            let earlier = entries.iter().take(number);
            let earlier: Vec<&Entry> = earlier.filter(|e| e.origin == entry.origin).collect();
            let covers = |opcode: u8| {
                let found = earlier
                    .iter()
                    .find(|e| covers(&e.rule, &entry.rule, opcode));
                found.map(|found| &found.place)
            };
            let by: Option<BTreeSet<&Place>> = entry.rule.opcodes().iter().map(covers).collect();
            if let Some(by) = by {
                let by: Vec<String> = by.iter().map(ToString::to_string).collect();
                let message = format!("'{}' never decides: {} does", entry.rule, by.join(", "));
                let fix = "put the narrower rule first, or remove it";
                self.warn(&entry.place, &message, fix);
            }
        }
    }

    /// What readers are allowed and must not be.
    fn destructive(&mut self, entries: &[Entry], class: Class) {
        for (number, entry) in entries.iter().enumerate() {
            // Profiles that are built in have been thought about.
            if entry.rule.action() != Action::Allow(Access::Read) || is_built_in(entry) {
                continue;
            }
            let mut found = BTreeSet::new();
            for cdb in probes(&entry.rule) {
                let (name, destructive) = (self.decode)(&cdb, class);
                let deciding = entries.iter().take(number).all(|e| !matches(&e.rule, &cdb));
                if destructive && deciding {
                    found.insert(name.unwrap_or_else(|| format!("{:02x}", cdb[0])));
                }
            }
            if found.is_empty() {
                continue;
            }
            let more = if found.len() > 4 { ", ..." } else { "" };
            let some: Vec<String> = found.into_iter().take(4).collect();
            let some = some.join(", ");
            let message = format!("allowed to readers of a {}: {some}{more}", class.name());
            let fix = "allow it with w, or only its harmless service actions";
            self.warn(&entry.place, &message, fix);
        }
    }

    /// Opcodes that are another command on another class that the block may match.
    fn other_meanings(&mut self, entries: &[Entry]) {
        for entry in entries {
            let mine = entry.origin == Origin::Own && entry.rule.action() != Action::Deny;
            if !mine {
                continue;
            }
            for cdb in probes(&entry.rule) {
                let mut meanings: Vec<(String, &str)> = Vec::new();
                for class in TYPICAL {
                    if let (Some(name), _) = (self.decode)(&cdb, class) {
                        if meanings.iter().all(|(other, _)| *other != name) {
                            meanings.push((name, class.name()));
                        }
                    }
                }
                if meanings.len() > 1 {
                    let list = meanings
                        .iter()
                        .map(|(name, class)| format!("{name} ({class})"));
                    let list: Vec<String> = list.collect();
                    let message =
                        format!("{:02x} depends on the class: {}", cdb[0], list.join(", "));
                    self.warn(&entry.place, &message, "add class to match");
                    break;
                }
            }
        }
    }
}

fn is_built_in(entry: &Entry) -> bool {
    let file = &entry.place.file;
    file.starts_with("<built in>") || file.contains("/usr/share/sgio-filter/profiles/")
}

fn matches(rule: &Rule, cdb: &[u8; MAX_CDB]) -> bool {
    sgio_policy::policy::Cdb::new(cdb).is_some_and(|cdb| rule.matches(&cdb))
}

/// Tells whether every CDB of that opcode that `inner` matches is matched by `outer`, as far as
/// it can be told field by field.
fn covers(outer: &Rule, inner: &Rule, opcode: u8) -> bool {
    let implied = |field: Field| {
        inner.fields().any(|other| {
            // More bits known of the byte say as much about fewer of them.
            let bits = other.byte() == field.byte() && field.mask() & !other.mask() == 0;
            let within = |v: u8| field.values().contains(v & field.mask());
            bits && other.values().iter().all(within)
        })
    };
    outer.opcodes().contains(opcode) && outer.fields().all(implied)
}

/// How many CDBs of one opcode are looked at.
const MAX_PROBES: usize = 4096;

/// CDBs that a rule matches: every value of its fields, and where it leaves it open, every service
/// action and every ATA command.
fn probes(rule: &Rule) -> Vec<[u8; MAX_CDB]> {
    let mut probes = Vec::new();
    for opcode in rule.opcodes().iter() {
        let mut of_opcode = vec![[0; MAX_CDB]];
        of_opcode[0][0] = opcode;
        let open = |byte| rule.fields().all(|field| field.byte() != byte);
        let mut range = ByteSet::EMPTY;
        range.insert_range(0, 0x1f);
        let selecting = match opcode {
            0x85 => [Some((14, ByteSet::FULL)), None],
            0xa1 => [Some((9, ByteSet::FULL)), None],
            0x7f => [Some((9, range)), Some((7, ByteSet::from_bytes(&[0x18])))],
            _ => [Some((1, range)), None],
        };
        let selecting = selecting
            .into_iter()
            .flatten()
            .filter(|(byte, _)| open(*byte));
        let fields = rule.fields().map(|field| (field.byte(), *field.values()));
        for (byte, values) in fields.chain(selecting) {
            let times = values.len().min(MAX_PROBES / of_opcode.len().max(1)).max(1);
            let old = std::mem::take(&mut of_opcode);
            for value in values.iter().take(times) {
                of_opcode.extend(old.iter().map(|cdb| {
                    let mut cdb = *cdb;
                    cdb[usize::from(byte)] |= value;
                    cdb
                }));
            }
        }
        probes.extend(of_opcode);
    }
    probes
}

#[cfg(test)]
mod tests {
    use super::{covers, probes};
    use sgio_policy::policy::{Change, Rule};

    fn rule(text: &str) -> Rule {
        let change = Change::parse(text.as_bytes()).unwrap();
        let rule = change.rules().next().and_then(|rule| rule.permanent());
        rule.unwrap()
    }

    #[test]
    fn coverage() {
        for (outer, inner, expected) in [
            ("deny 12", "allow r 12", true),
            ("deny 12 [1]=00", "allow r 12", false),
            ("deny 12", "allow r 12 [1]=00", true),
            ("deny 12 [1]&1f=00-04", "allow r 12 [1]&1f=03", true),
            ("deny 12 [1]&1f=00-04", "allow r 12 [1]=23", true),
            ("deny 12 [1]&1f=00-04", "allow r 12 [1]=25", false),
            ("deny 12 [1]=03", "allow r 12 [1]&1f=03", false),
            ("deny 12 [2]=03", "allow r 12 [1]=03", false),
            ("deny 13", "allow r 12", false),
        ] {
            assert_eq!(
                covers(&rule(outer), &rule(inner), 0x12),
                expected,
                "{outer} {inner}"
            );
        }
    }

    #[test]
    fn probes_match_their_rule() {
        for (text, count) in [
            ("allow r 12", 32),
            ("allow r 9e [1]&1f=10,12", 2),
            ("allow r 85", 256),
            ("allow r 85 [14]=ec [4]=d0-d1", 2),
        ] {
            let rule = rule(text);
            let probes = probes(&rule);
            assert_eq!(probes.len(), count, "{text}");
            assert!(probes.iter().all(|cdb| super::matches(&rule, cdb)));
        }
    }
}
