// SPDX-License-Identifier: GPL-2.0

//! The shape of a file, as serde reads and writes it; what the values mean is checked in `convert/mod.rs`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::Spanned;

pub(super) type Str = Spanned<String>;

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) include: Vec<Str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) device: Vec<Spanned<Device>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) class: Vec<Spanned<Class>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) grant: Vec<Spanned<Grant>>,
    pub(super) all: Option<All>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) profile: BTreeMap<String, Spanned<Profile>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct All {
    pub(super) filter_sg: Spanned<bool>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Device {
    #[serde(rename = "match")]
    pub(super) selector: Spanned<Match>,
    pub(super) unpriv_sgio: Option<Spanned<bool>>,
    pub(super) complain: Option<Spanned<bool>>,
    pub(super) report_luns: Option<Str>,
    pub(super) pr_exclusive: Option<Spanned<bool>>,
    pub(super) filter_sg: Option<Spanned<bool>>,
    pub(super) profile: Option<Str>,
    pub(super) profiles: Option<Spanned<Vec<Str>>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) deny: Vec<Str>,
    pub(super) rules: Option<Str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) allow: Vec<Str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    pub(super) to: Spanned<To>,
    #[serde(rename = "match")]
    pub(super) selector: Spanned<Match>,
    pub(super) profile: Option<Str>,
    pub(super) profiles: Option<Spanned<Vec<Str>>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) deny: Vec<Str>,
    pub(super) rules: Option<Str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) allow: Vec<Str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct To {
    pub(super) libvirt: Option<Str>,
    pub(super) proxmox: Option<Str>,
    pub(super) unit: Option<Str>,
    pub(super) cgroup: Option<Str>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    pub(super) wwid: Option<Str>,
    pub(super) serial: Option<Str>,
    pub(super) vendor: Option<Str>,
    pub(super) model: Option<Str>,
    pub(super) class: Option<Str>,
    pub(super) hctl: Option<Str>,
    pub(super) transport: Option<Str>,
    pub(super) by_id: Option<Str>,
    pub(super) by_path: Option<Str>,
    pub(super) initiator: Option<Str>,
    pub(super) interface: Option<Str>,
    pub(super) target: Option<Str>,
    pub(super) multipath: Option<Str>,
    pub(super) exact: Option<bool>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Class {
    pub(super) name: Str,
    pub(super) table: Option<Str>,
    pub(super) rules: Option<Str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    pub(super) description: String,
    pub(super) why: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) classes: Vec<Str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) deny: Vec<Str>,
    pub(super) rules: Option<Str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) allow: Vec<Str>,
}
