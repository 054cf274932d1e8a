// SPDX-License-Identifier: GPL-2.0

//! What `[[grant]]` blocks change on one device.
//!
//! Grants of policy files have a name that no other has, and only those are touched: what `sgioctl grant` or a manager has
//! granted is its own.

use crate::{
    applied::Given,
    device::Device,
    holder::Holder,
    policyfile::{Fault, Maps, Policies, Present, Wanted},
    root::Root,
    running::{self, OF_POLICY},
};
use anyhow::Result;

/// What decides on the grants of devices.
pub(super) struct Granting<'a> {
    pub(super) root: &'a Root,
    pub(super) policies: &'a Policies,
    pub(super) present: &'a Present,
    pub(super) maps: &'a Maps,
}

/// What is to be done on one device.
pub(super) struct GrantEdits {
    /// Lines of a transaction.
    pub(super) lines: String,
    /// How many grants they change.
    pub(super) count: usize,
    pub(super) given: Option<Given>,
    pub(super) faults: Vec<Fault>,
}

impl Granting<'_> {
    /// What makes the grants of policy on a device those of the files; `only` of these holders, where they are given.
    pub(super) fn by_hand(
        &self,
        device: &Device,
        id: u64,
        only: Option<&[Holder]>,
    ) -> Result<GrantEdits> {
        let (wanted, faults) = self.policies.grants_on(device, self.maps, self.present);
        let mut running = running::grants(self.root, device.hctl)?.unwrap_or_default();
        running.retain(|grant| grant.name == OF_POLICY);
        let mut edits = GrantEdits::new(faults);
        if wanted.is_empty() && running.is_empty() {
            return Ok(edits);
        }
        let mut given = Given::read(self.root, device.hctl, id);
        let before = given.clone();
        if only.is_none() {
            given.cgroups.retain(|id| self.is_present(*id));
        }
        for one in &wanted {
            let is_so = |grant: &running::Grant| {
                grant.cgroup == one.holder.id && grant.lines() == one.rules
            };
            if !running.iter().any(is_so) {
                edits.grant(one);
            }
            given.add(one.holder.id);
        }
        let is_meant =
            |cgroup: u64| only.is_none_or(|only| only.iter().any(|holder| holder.id == cgroup));
        for grant in &running {
            let goes = wanted.iter().all(|one| one.holder.id != grant.cgroup);
            if goes && is_meant(grant.cgroup) {
                edits.revoke(grant.cgroup);
            }
        }
        edits.given = (given != before).then_some(given);
        Ok(edits)
    }

    /// What an event gives: to each holder once, and it takes nothing.
    pub(super) fn by_event(&self, device: &Device, id: u64) -> Result<GrantEdits> {
        let (wanted, faults) = self.policies.grants_on(device, self.maps, self.present);
        let mut edits = GrantEdits::new(faults);
        if wanted.is_empty() {
            return Ok(edits);
        }
        let mut given = Given::read(self.root, device.hctl, id);
        let before = given.clone();
        let running = running::grants(self.root, device.hctl)?.unwrap_or_default();
        for one in &wanted {
            let has =
                |grant: &running::Grant| grant.cgroup == one.holder.id && grant.name == OF_POLICY;
            if !before.cgroups.contains(&one.holder.id) && !running.iter().any(has) {
                edits.grant(one);
            }
            given.add(one.holder.id);
        }
        edits.given = (given != before).then_some(given);
        Ok(edits)
    }

    fn is_present(&self, cgroup: u64) -> bool {
        self.present.all().any(|holder| holder.id == cgroup)
    }
}

impl GrantEdits {
    fn new(faults: Vec<Fault>) -> GrantEdits {
        GrantEdits {
            lines: String::new(),
            count: 0,
            given: None,
            faults,
        }
    }

    fn grant(&mut self, wanted: &Wanted<'_>) {
        let (id, rules) = (wanted.holder.id, &wanted.rules);
        self.lines += &format!("grant cgroup={id} name={OF_POLICY}\n{rules}");
        self.count += 1;
    }

    fn revoke(&mut self, cgroup: u64) {
        self.lines += &format!("revoke cgroup={cgroup} name={OF_POLICY}\n");
        self.count += 1;
    }
}

/// The holders that are not there: no error, since they may come.
pub(super) fn to_come(policies: &Policies, present: &Present) -> Vec<String> {
    let blocks = policies.grants.iter().enumerate();
    let absent = blocks.filter(|(number, _)| present.of_block(*number).is_empty());
    absent
        .map(|(_, grant)| format!("{}: there is no {} now", grant.block.place, grant.to.value))
        .collect()
}
