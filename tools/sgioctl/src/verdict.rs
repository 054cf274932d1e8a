// SPDX-License-Identifier: GPL-2.0

//! What a policy says of a command, decided by the module's own code.

use crate::{device::Device, root::Root, running};
use anyhow::{anyhow, bail, Context as _, Result};
use sgio_policy::{
    filter::{CompiledFilter, RuleVec},
    policy::{
        decide, load, strict, ApplyError, Cdb, Change, ChangeKind, Class, Decision, DevicePolicy,
        Layer, ReportLuns, Rule, RuleStore, Time, MAX_CDB, STOCK,
    },
};
use std::{convert::Infallible, sync::Arc};

/// When texts are written, and commands decided.
const NOW: Time = Time::ZERO;

/// The tables that a class can start with.
pub struct Tables {
    /// Classes start with the table `strict`, unless the module was loaded with `strict=0`.
    pub strict: bool,
    /// The text of `stock`.
    pub stock: String,
}

impl Tables {
    /// Those of the running module. `stock` is the list of the running kernel if the class shows it, else that of
    /// Linux 7.3.
    ///
    /// # Errors
    ///
    /// A sysfs that cannot be read.
    pub fn running(root: &Root, class: Class) -> Result<Tables> {
        let file = |name| format!("/sys/kernel/sgio_filter/classes/{}/{name}", class.name());
        let table = root.read(file("table")).ok().flatten();
        let shown = match table.as_deref() {
            Some("stock") => root.read(file("rules")).ok().flatten(),
            _ => None,
        };
        Ok(Tables {
            strict: running::is_strict(root)?,
            stock: shown.unwrap_or_else(|| STOCK.to_owned()),
        })
    }
}

/// The policy of one device, as the module has it: what decisions are made on.
///
/// Its clock stands still: a rule that ends applies, with the time that its text gives it.
#[derive(Clone)]
pub struct Policy {
    /// `unpriv_sgio`.
    pub unpriv_sgio: bool,
    /// `complain`.
    pub complain: bool,
    /// `report_luns`.
    pub report_luns: ReportLuns,
    /// The device's class.
    pub class: Class,
    /// The device's own rules.
    pub device_rules: Option<Arc<CompiledFilter>>,
    /// Its class's rules.
    pub class_rules: Arc<CompiledFilter>,
}

impl Policy {
    /// The policy of a class: `class_rules` as text, or the built-in `strict` table.
    ///
    /// The text counts as if it were written to the `rules` of a class that has its `strict` table:
    /// lines with `+` and `-` edit that, an empty line is that.
    ///
    /// # Errors
    ///
    /// A text that is no list of rules.
    pub fn of_class(class: Class, class_rules: Option<&str>) -> Result<Policy> {
        let mut rules = RuleVec::new();
        load(strict(class), &mut rules).map_err(|error| anyhow!("{error}"))?;
        if let Some(text) = class_rules {
            let change = Change::parse(text.as_bytes()).map_err(|error| anyhow!("{error}"))?;
            if change.kind() != ChangeKind::Reset {
                apply(&change, &mut rules)?;
            }
        }
        Ok(Policy {
            unpriv_sgio: false,
            complain: false,
            report_luns: ReportLuns::Passthrough,
            class,
            device_rules: None,
            class_rules: compile(rules)?,
        })
    }

    /// With rules of the device's own (empty: none).
    ///
    /// The text counts as if it were written to the `rules` of the device: lines with `+` and `-`
    /// edit those that are there.
    ///
    /// # Errors
    ///
    /// A text that is no list of rules.
    pub fn with_device_rules(self, rules: &str) -> Result<Policy> {
        if rules.is_empty() {
            return Ok(Policy {
                device_rules: None,
                ..self
            });
        }
        let mut list = RuleVec::new();
        for rule in self.device_rules.iter().flat_map(|own| own.view().rules()) {
            list.push(*rule).unwrap_or_else(|never| match never {});
        }
        let change = Change::parse(rules.as_bytes()).map_err(|error| anyhow!("{error}"))?;
        apply(&change, &mut list)?;
        let device_rules = match list.rules() {
            [] => None,
            _ => Some(compile(list)?),
        };
        Ok(Policy {
            device_rules,
            ..self
        })
    }

    /// What is in force on a class, read from sysfs.
    ///
    /// # Errors
    ///
    /// No module; files that cannot be read.
    pub fn running_class(root: &Root, class: Class) -> Result<Policy> {
        let running = running::class(root, class)?
            .ok_or_else(|| anyhow!("the module sgio_filter is not loaded"))?;
        Policy::of_class(class, Some(&running.rules))
            .with_context(|| format!("the rules of class {}", class.name()))
    }

    /// With rules in front of those of the device, as `sgioctl allow` adds them.
    ///
    /// # Errors
    ///
    /// Too many rules.
    pub fn with_rules_in_front(&self, rules: &[Rule]) -> Result<Policy> {
        let lines: Vec<String> = rules.iter().rev().map(|rule| format!("+{rule}")).collect();
        self.clone().with_device_rules(&lines.join("\n"))
    }

    /// What is in force on a device, read from sysfs.
    ///
    /// # Errors
    ///
    /// No module; files that cannot be read.
    pub fn running(root: &Root, device: &Device) -> Result<Policy> {
        let class = Policy::running_class(root, device.class)?;
        let own = running::device(root, device.hctl)?
            .ok_or_else(|| anyhow!("{}: unknown to sgio_filter", device.hctl))?;
        let policy = class
            .with_device_rules(own.rules.trim_end_matches('\n'))
            .with_context(|| format!("the rules of {}", device.hctl))?;
        Ok(Policy {
            unpriv_sgio: own.settings.unpriv_sgio,
            complain: own.settings.complain,
            report_luns: own.settings.report_luns,
            ..policy
        })
    }

    /// Decides, on the CDB padded with zeros to 32 bytes, as the kernel sees it.
    ///
    /// # Errors
    ///
    /// A CDB of 0 or more than 32 bytes.
    pub fn decide(&self, cdb: &[u8], open_for_write: bool) -> Result<Decision> {
        let mut padded = [0; MAX_CDB];
        match padded.get_mut(..cdb.len()) {
            Some(start) if !cdb.is_empty() => start.copy_from_slice(cdb),
            _ => bail!("a CDB has 1 to {MAX_CDB} bytes, not {}", cdb.len()),
        }
        let cdb = Cdb::new(&padded).ok_or_else(|| anyhow!("no CDB"))?;
        let state = DevicePolicy {
            unpriv: self.unpriv_sgio,
            own_luns: self.report_luns == ReportLuns::Own,
            device: self.device_rules.as_ref().map(|rules| rules.view()),
            class: self.class_rules.view(),
        };
        Ok(decide(&state, &cdb, open_for_write, || NOW))
    }

    /// The rule a decision names, as text.
    pub fn rule(&self, decision: Decision) -> Option<String> {
        let (layer, number) = decision.rule()?;
        let filter = match layer {
            Layer::Device => self.device_rules.as_ref()?,
            Layer::Class => &self.class_rules,
            // A policy is about a device, not about who sends.
            Layer::Grant => return None,
        };
        let view = filter.view();
        let listed = view.rules().get(usize::from(number))?;
        Some(listed.at(NOW)?.to_string())
    }
}

fn apply(change: &Change<'_>, rules: &mut RuleVec) -> Result<()> {
    change
        .apply(rules, NOW)
        .map_err(|error: ApplyError<Infallible>| anyhow!("{error}"))
}

fn compile(rules: RuleVec) -> Result<Arc<CompiledFilter>> {
    CompiledFilter::compile(rules).map_err(|_| anyhow!("too many rules"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_counts_as_if_written() {
        let rule = |text, own: &str, cdb: &[u8], write| {
            let policy = Policy::of_class(Class::DISK, text).unwrap();
            let policy = policy.with_device_rules(own).unwrap();
            let decision = policy.decide(cdb, write).unwrap();
            (decision.is_allowed(), policy.rule(decision))
        };
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(rule(None, "", &[0x42], false), (false, is("allow w 42")));
        assert_eq!(rule(None, "", &[0x42], true), (true, is("allow w 42")));
        assert_eq!(rule(None, "", &[0x5f], true), (false, None));
        assert!(rule(Some("\n"), "", &[0x42], true).0);
        assert_eq!(rule(Some("deny 00"), "", &[0x42], true), (false, None));
        assert_eq!(
            rule(Some("+deny 42"), "", &[0x42], true),
            (false, is("deny 42"))
        );
        assert!(rule(Some(STOCK), "", &[0x48, 3], false).0);
        assert_eq!(rule(None, "deny 42", &[0x42], true), (false, is("deny 42")));
        // One that ends has the time of its text.
        let own = "allow w 5f for=600";
        assert_eq!(rule(None, own, &[0x5f], true), (true, is(own)));
        // Padded: the field is there, and zero.
        let own = "allow r 5e [1]&1f=00";
        assert_eq!(rule(None, own, &[0x5e], false), (true, is(own)));
    }

    #[test]
    fn rules_of_a_device_can_be_edited() {
        let policy = Policy::of_class(Class::DISK, None).unwrap();
        let policy = policy.with_device_rules("allow r 5e\nallow w 5f").unwrap();
        let policy = policy.with_device_rules("+deny 5f\n-allow r 5e").unwrap();
        let own = policy.device_rules.as_ref().unwrap();
        let rules = own.view().rules().iter();
        let texts: Vec<_> = rules.map(|r| r.rule().to_string()).collect();
        assert_eq!(texts, ["deny 5f", "allow w 5f"]);
        let policy = policy.with_device_rules("\n").unwrap();
        assert!(policy.device_rules.is_none());
    }

    #[test]
    fn errors() {
        assert!(Policy::of_class(Class::DISK, Some("")).is_err());
        assert!(Policy::of_class(Class::DISK, Some("allow 12")).is_err());
        let policy = Policy::of_class(Class::DISK, None).unwrap();
        assert!(policy.decide(&[], true).is_err());
        assert!(policy.decide(&[0; 33], true).is_err());
        assert!(policy.decide(&[0; 32], true).is_ok());
        assert!(policy.with_device_rules("-deny 00").is_err());
    }
}
