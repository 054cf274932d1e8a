// SPDX-License-Identifier: GPL-2.0

//! `[[grant]]`: who gets rules of its own on which devices.

use super::{Fault, Maps, Policies};
use crate::{device::Device, holder::Holder};

/// The holders that there are now, for each `[[grant]]` in the order of [`Policies::grants`].
#[derive(Default, Debug)]
pub struct Present(Vec<Vec<Holder>>);

impl Present {
    /// Holders for each block.
    pub fn new(holders: Vec<Vec<Holder>>) -> Present {
        Present(holders)
    }

    /// Those that a block means.
    pub fn of_block(&self, number: usize) -> &[Holder] {
        self.0.get(number).map_or(&[], Vec::as_slice)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Holder> {
        self.0.iter().flatten()
    }

    /// The same, without all that are not among `only`.
    pub fn only(mut self, only: &[Holder]) -> Present {
        for holders in &mut self.0 {
            holders.retain(|holder| only.iter().any(|one| one.id == holder.id));
        }
        self
    }
}

/// What one holder is to have on one device.
pub struct Wanted<'a> {
    /// The holder.
    pub holder: &'a Holder,
    /// The number of the block that decides.
    pub block: usize,
    /// Rules, one a line.
    pub rules: String,
}

impl Policies {
    /// What each holder is to have on a device, and what is wrong with blocks that are not for its class: they give nothing.
    /// For each holder, the first block that matches decides.
    pub fn grants_on<'a>(
        &self,
        device: &Device,
        maps: &Maps,
        present: &'a Present,
    ) -> (Vec<Wanted<'a>>, Vec<Fault>) {
        let (mut wanted, mut faults) = (Vec::new(), Vec::new());
        let mut decided: Vec<u64> = Vec::new();
        for (number, grant) in self.grants.iter().enumerate() {
            let holders = present.of_block(number).iter();
            let holders = holders.filter(|holder| !decided.contains(&holder.id));
            let holders: Vec<&Holder> = holders.collect();
            if holders.is_empty() || !grant.block.selector.matches(device, maps) {
                continue;
            }
            decided.extend(holders.iter().map(|holder| holder.id));
            let rules = match self.entries(&grant.block, device.class) {
                Ok(entries) => entries,
                Err(wrong) => {
                    faults.extend(wrong.into_iter().map(|mut fault| {
                        let (hctl, class) = (device.hctl, device.class.name());
                        fault.message += &format!(" (for {hctl}, class {class})");
                        fault
                    }));
                    continue;
                }
            };
            if rules.is_empty() {
                continue;
            }
            let lines: Vec<String> = rules.iter().map(|one| one.rule.to_string()).collect();
            let rules = lines.join("\n") + "\n";
            wanted.extend(holders.into_iter().map(|holder| Wanted {
                holder,
                block: number,
                rules: rules.clone(),
            }));
        }
        (wanted, faults)
    }
}
