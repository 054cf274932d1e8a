// SPDX-License-Identifier: GPL-2.0

//! `[[grant]]`: to whom, on which devices, what.

use super::{
    super::{raw, At, Block, GrantBlock, HolderName, Pattern},
    reader::Reader,
};
use sgio_policy::policy::ReportLuns;
use toml::Spanned;

impl Reader<'_> {
    pub(super) fn grant(&mut self, raw: &Spanned<raw::Grant>) -> Option<GrantBlock> {
        let start = raw.span().start;
        let place = self.text.place(start);
        let raw = raw.get_ref();
        let to = self.holder(&raw.to);
        let selector = self.selector(&raw.selector);
        let class = selector.class.as_ref().map(|class| class.value);
        let off = || At {
            value: false,
            place: place.clone(),
        };
        let block = Block {
            selector,
            unpriv_sgio: off(),
            complain: off(),
            report_luns: ReportLuns::Passthrough,
            pr_exclusive: false,
            filter_sg: false,
            has_settings: false,
            own: self.lists(&raw.deny, raw.rules.as_ref(), &raw.allow, class.as_slice()),
            profiles: self.profiles(raw.profile.as_ref(), raw.profiles.as_ref()),
            place,
        };
        let own = &block.own;
        if own.rules.is_empty() && own.allow.is_empty() && block.profiles.is_empty() {
            let fix = "add profile, rules or allow, or remove the block";
            self.fault(start, "a grant that gives nothing", fix);
        }
        Some(GrantBlock { to: to?, block })
    }

    fn holder(&mut self, raw: &Spanned<raw::To>) -> Option<At<HolderName>> {
        let start = raw.span().start;
        let raw = raw.get_ref();
        let given: Vec<(&str, &raw::Str)> = [
            ("libvirt", &raw.libvirt),
            ("proxmox", &raw.proxmox),
            ("unit", &raw.unit),
            ("cgroup", &raw.cgroup),
        ]
        .into_iter()
        .filter_map(|(kind, name)| Some((kind, name.as_ref()?)))
        .collect();
        let [(kind, name)] = given[..] else {
            let message = match given.is_empty() {
                true => "to is empty",
                false => "to names more than one kind of holder",
            };
            let fix = "name one: to = { libvirt = \"db-*\" }, { proxmox = \"101\" }, { unit = \"backup.service\" } \
                       or { cgroup = \"/...\" }";
            self.fault(start, message, fix);
            return None;
        };
        match HolderName::new(kind, Pattern::new(name.get_ref())) {
            Ok(value) => Some(At {
                value,
                place: self.text.place(name.span().start),
            }),
            Err((message, fix)) => {
                self.fault(name.span().start, message, fix);
                None
            }
        }
    }
}
