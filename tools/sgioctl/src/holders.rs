// SPDX-License-Identifier: GPL-2.0

//! The cgroups that names of a policy file mean: domains of libvirt, virtual machines of Proxmox VE, units of systemd.
//!
//! Everything is read from files, and no manager is asked: this runs in events of udev and in hooks of the managers, which
//! would wait for each other.

use crate::{
    holder::{self, Holder},
    policyfile::{is_unit, HolderName, Policies, Present},
    root::Root,
};
use anyhow::Result;
use std::{fs, os::unix::fs::MetadataExt as _};

/// Where libvirt keeps the process of each domain of the system's QEMU driver: `NAME.pid`, with the name verbatim.
const LIBVIRT: &str = "/run/libvirt/qemu";

/// How long the name of a machine can be that libvirt makes for systemd.
const LONGEST_MACHINE: usize = 64;

/// Finds holders, and looks at each place once.
pub struct Finder<'a> {
    root: &'a Root,
    units: Option<Vec<(String, String)>>,
    domains: Option<Vec<(String, String)>>,
}

impl<'a> Finder<'a> {
    /// One for a system.
    pub fn new(root: &'a Root) -> Finder<'a> {
        Finder {
            root,
            units: None,
            domains: None,
        }
    }

    /// The holders of that name that there are now; none is no error.
    ///
    /// # Errors
    ///
    /// A directory that cannot be read.
    pub fn find(&mut self, name: &HolderName) -> Result<Vec<Holder>> {
        let root = self.root;
        let paths: Vec<String> = match name {
            HolderName::Cgroup(path) => vec![path.clone()],
            HolderName::Unit(pattern) => {
                let units = self.units()?.iter();
                let meant = units.filter(|(name, _)| pattern.matches(name));
                meant.map(|(_, path)| path.clone()).collect()
            }
            HolderName::Proxmox(pattern) => {
                let names = list(root, "/qemu.slice")?;
                let numbers = names.iter().filter_map(|name| name.strip_suffix(".scope"));
                let machines = numbers.filter(|number| {
                    number.bytes().all(|b| b.is_ascii_digit()) && pattern.matches(number)
                });
                machines.map(|n| format!("/qemu.slice/{n}.scope")).collect()
            }
            HolderName::Libvirt(pattern) => {
                let domains = self.domains()?.iter();
                let meant = domains.filter(|(name, _)| pattern.matches(name));
                meant.map(|(_, path)| path.clone()).collect()
            }
        };
        // One that has gone since is none.
        let holders = paths.iter().filter_map(|path| Holder::at(root, path).ok());
        Ok(holders.collect())
    }

    /// The holders of each `[[grant]]`.
    ///
    /// # Errors
    ///
    /// As [`Finder::find`].
    pub fn present(&mut self, policies: &Policies) -> Result<Present> {
        let grants = policies.grants.iter();
        let found = grants.map(|grant| self.find(&grant.to.value));
        Ok(Present::new(found.collect::<Result<_>>()?))
    }

    /// The units that have a cgroup, with its path. Only slices are looked into: what is below a service or a scope may have been
    /// made by the user that it runs as, under whatever name.
    fn units(&mut self) -> Result<&[(String, String)]> {
        if self.units.is_none() {
            let mut found = Vec::new();
            let mut slices = vec![String::new()];
            while let Some(slice) = slices.pop() {
                let directory = holder::top(self.root).join(slice.trim_start_matches('/'));
                if self.root.is_live() && !fs::metadata(&directory).is_ok_and(|m| m.uid() == 0) {
                    continue;
                }
                for name in list(self.root, &slice)? {
                    let path = format!("{slice}/{name}");
                    if name.ends_with(".slice") {
                        slices.push(path.clone());
                    }
                    if is_unit(&name) {
                        // systemd puts one in front where the kernel could have a file of that name.
                        let plain = name.strip_prefix('_').unwrap_or(&name);
                        found.push((plain.to_owned(), path));
                    }
                }
            }
            self.units = Some(found);
        }
        Ok(self.units.as_deref().unwrap_or_default())
    }

    /// The domains that run, with the path of their cgroup. libvirt drops characters from the name of a domain where it makes that
    /// of a scope, and uses scopes' names again, so that the domain is known by its process, which must be in a cgroup that libvirt
    /// makes for a domain of that name: the number of a process that has gone may be that of another one.
    fn domains(&mut self) -> Result<&[(String, String)]> {
        if self.domains.is_none() {
            let mut found = Vec::new();
            for file in self.root.names(LIBVIRT)? {
                let Some(name) = file.strip_suffix(".pid") else {
                    continue;
                };
                let pid = self.root.read(format!("{LIBVIRT}/{file}"));
                let pid = pid.ok().flatten().unwrap_or_default();
                let pid: Option<u32> = pid.trim().parse().ok();
                let path = pid.and_then(|pid| holder::of_process(self.root, &pid.to_string()).ok());
                if let Some(path) = path.and_then(|path| of_domain(&path, name)) {
                    found.push((name.to_owned(), path));
                }
            }
            self.domains = Some(found);
        }
        Ok(self.domains.as_deref().unwrap_or_default())
    }
}

/// The names in the directory of a cgroup; none where there is none.
fn list(root: &Root, cgroup: &str) -> Result<Vec<String>> {
    let top = match root.path("/sys/fs/cgroup/unified").is_dir() {
        true => "/sys/fs/cgroup/unified",
        false => "/sys/fs/cgroup",
    };
    root.names(format!("{top}{cgroup}"))
}

/// The cgroup of the domain `name` on the way to `path`, that of its process: `machine-qemu\x2d2\x2dNAME.scope`, or without
/// machined `qemu-2-NAME.libvirt-qemu`.
fn of_domain(path: &str, name: &str) -> Option<String> {
    let mut end = 0;
    for part in path.split_inclusive('/') {
        end += part.len();
        let part = part.trim_end_matches('/');
        let scope = part
            .strip_suffix(".scope")
            .and_then(|scope| scope.strip_prefix("machine-"));
        let machine = match scope {
            Some(scope) => unescaped(scope),
            None => part.strip_suffix(".libvirt-qemu").map(str::to_owned),
        };
        if machine.is_some_and(|machine| is_machine_of(&machine, name)) {
            let path = path.get(..end)?;
            return Some(path.trim_end_matches('/').to_owned());
        }
    }
    None
}

/// What systemd has escaped for the name of a unit, where it is no path.
fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split("\\x");
    let mut plain = parts.next()?.as_bytes().to_vec();
    for part in parts {
        plain.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        plain.extend(part.get(2..)?.as_bytes());
    }
    String::from_utf8(plain).ok()
}

/// Tells whether `machine`, `qemu-2-NAME`, is a name that libvirt makes for a domain. It keeps letters and digits, some dots
/// and hyphens, and cuts what is too long.
fn is_machine_of(machine: &str, name: &str) -> bool {
    let Some((id, rest)) = machine
        .strip_prefix("qemu-")
        .and_then(|rest| rest.split_once('-'))
    else {
        return false;
    };
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let kept =
        |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect() };
    let (rest, name) = (kept(rest), kept(name));
    rest == name || machine.len() + 2 >= LONGEST_MACHINE && name.starts_with(&rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_of_a_domain_is_known_by_number_and_whole_name() {
        let scope = "/machine.slice/machine-qemu\\x2d12\\x2ddb\\x2d1.scope";
        let deep = format!("{scope}/libvirt/emulator");
        for (path, name, expected) in [
            (deep.as_str(), "db-1", Some(scope)),
            (scope, "db-1", Some(scope)),
            // A part of a name is another name.
            (scope, "db-", None),
            (scope, "db-11", None),
            (scope, "1", None),
            (
                "/machine/qemu-3-g1.libvirt-qemu/libvirt/vcpu0",
                "g1",
                Some("/machine/qemu-3-g1.libvirt-qemu"),
            ),
            // What libvirt drops.
            (
                "/machine.slice/machine-qemu\\x2d2\\x2dWin2022prodnme.scope",
                "Win 2022 (prod) n\u{e4}me",
                Some("/machine.slice/machine-qemu\\x2d2\\x2dWin2022prodnme.scope"),
            ),
            // No number, another driver, a service that has the name.
            ("/machine.slice/machine-qemu\\x2dx\\x2dg1.scope", "g1", None),
            ("/machine.slice/machine-qemu\\x2d\\x2dg1.scope", "g1", None),
            ("/machine.slice/machine-lxc\\x2d1\\x2dg1.scope", "g1", None),
            ("/system.slice/qemu-1-g1.service", "g1", None),
            ("/system.slice/libvirtd.service", "driver", None),
            (
                "/machine.slice/machine-qemu\\x2d1\\x2dg1\\x.scope",
                "g1",
                None,
            ),
        ] {
            assert_eq!(of_domain(path, name).as_deref(), expected, "{path} {name}");
        }
        let long = "a".repeat(80);
        let machine = format!("qemu-1-{}", &long[..57]);
        assert!(is_machine_of(&machine, &long));
        assert!(!is_machine_of("qemu-1-aaa", &long));
    }
}
