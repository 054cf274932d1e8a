// SPDX-License-Identifier: GPL-2.0

//! Writes policy files, by the types of [`raw`] that read them: what is written can be read.

use super::raw;
use crate::{
    device::{nexus::Ports, Hctl},
    output::printable,
    settings::Settings,
};
use anyhow::{anyhow, Context as _, Result};
use toml::Spanned;
use toml_edit::{ser, DocumentMut, Item};

/// How a block names a logical unit, and no other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unit {
    /// By its WWID, as it is.
    Wwid(String),
    /// By its WWID and the I_T nexus, since the WWID is reached through others too.
    Nexus(String, Ports),
    /// By its address, with the reason why not by a WWID.
    Address(Hctl, &'static str),
}

/// A block to be written.
#[derive(Clone, Debug)]
pub struct NewBlock {
    /// The lines of a comment in front of it.
    pub comment: Vec<String>,
    /// Which device it is for.
    pub unit: Unit,
    /// Its settings.
    pub settings: Settings,
    /// Its rules, one a line, with comments.
    pub rules: String,
}

impl NewBlock {
    fn raw(&self) -> raw::Device {
        // No text has been read, so that nothing stands anywhere.
        fn at<T>(value: T) -> Spanned<T> {
            Spanned::new(0..0, value)
        }
        let Settings {
            unpriv_sgio,
            complain,
            report_luns,
            pr_exclusive,
            filter_sg,
        } = self.settings;
        let selector = match &self.unit {
            Unit::Wwid(wwid) => raw::Match {
                wwid: Some(at(wwid.clone())),
                exact: Some(true),
                ..raw::Match::default()
            },
            Unit::Nexus(wwid, ports) => raw::Match {
                wwid: Some(at(wwid.clone())),
                initiator: ports.initiator.clone().map(at),
                interface: ports.interface.clone().map(at),
                target: ports.target.clone().map(at),
                exact: Some(true),
                ..raw::Match::default()
            },
            Unit::Address(hctl, _) => raw::Match {
                hctl: Some(at(hctl.to_string())),
                ..raw::Match::default()
            },
        };
        raw::Device {
            selector: at(selector),
            unpriv_sgio: Some(at(unpriv_sgio)),
            complain: Some(at(complain)),
            report_luns: Some(at(report_luns.name().to_owned())),
            pr_exclusive: Some(at(pr_exclusive)),
            filter_sg: Some(at(filter_sg)),
            profile: None,
            profiles: None,
            deny: Vec::new(),
            rules: Some(at(self.rules.clone())),
            allow: Vec::new(),
        }
    }
}

/// A policy file of some blocks.
///
/// # Errors
///
/// None: serde writes all of these types.
pub fn write(blocks: &[NewBlock]) -> Result<String> {
    let file = raw::File {
        device: blocks
            .iter()
            .map(|block| Spanned::new(0..0, block.raw()))
            .collect(),
        ..raw::File::default()
    };
    let mut document = ser::to_document(&file).context("the policy")?;
    add_comments(&mut document, blocks)?;
    Ok(document.to_string())
}

/// Gives each block a table of its own, where serde makes one list of all, and what is to be said of it.
fn add_comments(document: &mut DocumentMut, blocks: &[NewBlock]) -> Result<()> {
    let Some(item) = document.get_mut("device") else {
        return Ok(());
    };
    let tables = std::mem::take(item).into_array_of_tables();
    let mut tables = tables.map_err(|_| anyhow!("a block is no table"))?;
    let mut separator = "";
    for (table, block) in tables.iter_mut().zip(blocks) {
        let comment = commented(block.comment.iter().map(String::as_str));
        table
            .decor_mut()
            .set_prefix(format!("{separator}{comment}"));
        separator = "\n";
        let line = match &block.unit {
            Unit::Wwid(_) => continue,
            Unit::Nexus(..) => {
                "By its I_T nexus too, since the WWID is that of others, each perhaps for a guest of its own."
                    .to_owned()
            }
            Unit::Address(_, why) => format!(
                "By its address, since {why}: at the next boot it may be that of another device."
            ),
        };
        if let Some(mut key) = table.key_mut("match") {
            key.leaf_decor_mut().set_prefix(commented([line.as_str()]));
        }
    }
    *item = Item::ArrayOfTables(tables);
    Ok(())
}

/// Lines as a comment: what is in them stays there.
fn commented<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut comment = String::new();
    for line in lines {
        comment += &format!("# {}\n", printable(line));
    }
    comment
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        output::lines,
        policyfile::{parse, At, Profiles},
    };
    use proptest::prelude::*;
    use sgio_policy::policy::ReportLuns;

    fn settings() -> impl Strategy<Value = Settings> {
        any::<[bool; 5]>().prop_map(|[unpriv_sgio, complain, own, pr_exclusive, filter_sg]| {
            Settings {
                unpriv_sgio,
                complain,
                report_luns: match own {
                    true => ReportLuns::Own,
                    false => ReportLuns::Passthrough,
                },
                pr_exclusive,
                filter_sg,
            }
        })
    }

    fn unit() -> impl Strategy<Value = Unit> {
        let hctl = any::<(u32, u32, u32, u64)>();
        prop_oneof![
            "[!-~]([ -~\\\\\"']{0,20}[!-~])?".prop_map(Unit::Wwid),
            ["[!-~]([ -~]{0,20}[!-~])?"; 4].prop_map(|[wwid, initiator, interface, target]| {
                let ports = Ports {
                    initiator: Some(initiator),
                    interface: Some(interface).filter(|name| name.len() > 3),
                    target: Some(target),
                };
                Unit::Nexus(wwid, ports)
            }),
            hctl.prop_map(|(host, channel, target, lun)| {
                let hctl = Hctl {
                    host,
                    channel,
                    target,
                    lun,
                };
                Unit::Address(hctl, "it reports no WWID")
            }),
        ]
    }

    fn block() -> impl Strategy<Value = NewBlock> {
        let comment = proptest::collection::vec(".{0,20}", 0..3);
        let rule = prop_oneof![
            Just("allow r 5e"),
            Just("deny 48"),
            Just("allow w 5f [1]&1f=00-04    # a, b")
        ];
        let rules = proptest::collection::vec(rule, 0..3);
        (comment, unit(), settings(), rules).prop_map(|(comment, unit, settings, rules)| NewBlock {
            comment,
            unit,
            settings,
            rules: lines(&rules),
        })
    }

    proptest! {
        /// Whatever is in names and comments.
        #[test]
        fn what_is_written_reads_back(blocks in proptest::collection::vec(block(), 0..4)) {
            let text = write(&blocks).unwrap();
            let read = parse("new", &text, Profiles::default());
            let read = read.unwrap_or_else(|faults| panic!("{faults}\n{text}"));
            prop_assert_eq!(read.blocks.len(), blocks.len(), "{}", text);
            for (read, block) in read.blocks.iter().zip(&blocks) {
                prop_assert_eq!(read.settings(), block.settings);
                match &block.unit {
                    Unit::Wwid(wwid) => {
                        let read = read.selector.wwid.as_ref().unwrap();
                        prop_assert!(!read.value.is_glob() && read.value.text() == wwid, "{}", text);
                    }
                    Unit::Nexus(wwid, ports) => {
                        let text = |key: &Option<At<String>>| key.as_ref().map(|key| key.value.clone());
                        let keys = &read.selector;
                        prop_assert_eq!(keys.wwid.as_ref().unwrap().value.text(), wwid);
                        prop_assert_eq!(text(&keys.initiator), ports.initiator.clone());
                        prop_assert_eq!(text(&keys.interface), ports.interface.clone());
                        prop_assert_eq!(text(&keys.target), ports.target.clone());
                    }
                    Unit::Address(hctl, _) => {
                        prop_assert_eq!(read.selector.hctl.as_ref().unwrap().value, *hctl);
                    }
                }
                let rules: Vec<String> = read.own.rules.iter().map(|rule| rule.value.to_string()).collect();
                let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
                let written = block.rules.replace("    # a, b", "");
                prop_assert_eq!(lines(&rules), written, "{}", text);
            }
        }
    }
}
