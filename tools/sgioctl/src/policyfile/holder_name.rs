// SPDX-License-Identifier: GPL-2.0

//! `to` of a `[[grant]]`: how a policy file names holders.

use super::Pattern;

/// Tells whether a name is one of a unit that processes are in.
pub fn is_unit(name: &str) -> bool {
    [".service", ".scope", ".slice"]
        .iter()
        .any(|kind| name.ends_with(kind))
}

/// How a policy file names holders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HolderName {
    /// Virtual machines of libvirt, by the name of the domain.
    Libvirt(Pattern),
    /// Virtual machines of Proxmox VE, by their number.
    Proxmox(Pattern),
    /// Services, scopes and slices of the system's systemd.
    Unit(Pattern),
    /// The cgroup at that path.
    Cgroup(String),
}

impl HolderName {
    /// A holder of a kind: `libvirt`, `proxmox`, `unit`, `cgroup`.
    ///
    /// # Errors
    ///
    /// What is wrong, and what to do about it.
    pub fn new(kind: &str, name: Pattern) -> Result<HolderName, (String, String)> {
        let wrong = |message: String, fix: &str| Err((message, fix.to_owned()));
        let text = name.text().to_owned();
        if text.is_empty() || text.chars().any(char::is_control) {
            return wrong(
                format!("'{text}' is no name of a holder"),
                "write its name; * stands for any characters",
            );
        }
        match kind {
            "libvirt" if text.contains('/') => wrong(
                format!("'{text}' is no name of a domain"),
                "write it as 'virsh list' shows it; * stands for any characters",
            ),
            "libvirt" => Ok(HolderName::Libvirt(name)),
            "proxmox" if !text.bytes().all(|b| b.is_ascii_digit() || b == b'*') => wrong(
                format!("'{text}' is no number of a virtual machine"),
                "write it as 'qm list' shows it, like proxmox = \"101\"",
            ),
            "proxmox" => Ok(HolderName::Proxmox(name)),
            "unit" if text.contains('/') || !is_unit(&text) => wrong(
                format!("'{text}' is no unit that processes are in"),
                "write its whole name, like unit = \"backup.service\"; or a .scope or .slice",
            ),
            "unit" => Ok(HolderName::Unit(name)),
            "cgroup" => cgroup(&name),
            _ => wrong(
                format!("there is no kind of holder '{kind}'"),
                "use libvirt, proxmox, unit or cgroup",
            ),
        }
    }

    /// Tells whether all that `other` means is meant too, as far as the names alone tell.
    pub fn covers(&self, other: &HolderName) -> bool {
        match (self, other) {
            (HolderName::Libvirt(one), HolderName::Libvirt(other))
            | (HolderName::Proxmox(one), HolderName::Proxmox(other))
            | (HolderName::Unit(one), HolderName::Unit(other)) => one.matches(other.text()),
            (HolderName::Cgroup(one), HolderName::Cgroup(other)) => one == other,
            _ => false,
        }
    }

    /// Tells whether it may mean several.
    pub fn is_glob(&self) -> bool {
        match self {
            HolderName::Libvirt(name) | HolderName::Proxmox(name) | HolderName::Unit(name) => {
                name.is_glob()
            }
            HolderName::Cgroup(_) => false,
        }
    }
}

impl std::fmt::Display for HolderName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, name) = match self {
            HolderName::Libvirt(name) => ("libvirt", name.text()),
            HolderName::Proxmox(name) => ("proxmox", name.text()),
            HolderName::Unit(name) => ("unit", name.text()),
            HolderName::Cgroup(path) => ("cgroup", path.as_str()),
        };
        write!(f, "{kind} '{name}'")
    }
}

fn cgroup(name: &Pattern) -> Result<HolderName, (String, String)> {
    let text = name.text();
    if name.is_glob() {
        let message = "no * is possible in the path of a cgroup";
        let fix = "write it out, or name a cgroup above: the grant is for all below it too";
        return Err((message.into(), fix.into()));
    }
    let path = text.strip_prefix("/sys/fs/cgroup").unwrap_or(text);
    let plain = path.trim_end_matches('/');
    let parts = plain.split('/').skip(1);
    let mut strange = parts.filter(|part| part.is_empty() || *part == "." || *part == "..");
    if !path.starts_with('/') || plain.is_empty() || strange.next().is_some() {
        let message = format!("'{text}' is no path of a cgroup that can hold a grant");
        let fix = "write it from the root, as in /proc/PID/cgroup: \"/lxc/101\"; the root itself holds none";
        return Err((message, fix.into()));
    }
    Ok(HolderName::Cgroup(plain.to_owned()))
}
