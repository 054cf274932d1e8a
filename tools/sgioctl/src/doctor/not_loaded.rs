// SPDX-License-Identifier: GPL-2.0

//! Why the module is not loaded, as far as files tell.

use crate::{output::printable, root::Root};

const NEEDED: [&str; 2] = ["CONFIG_RUST", "CONFIG_DYNAMIC_FTRACE_WITH_ARGS"];
const LOAD: &str = "modprobe sgio_filter, and let it be loaded at boot (/etc/modules-load.d)";

/// The reason, as the end of a sentence, and what mends it.
pub(super) fn why(root: &Root) -> (Option<String>, String) {
    let Some(release) = root.attribute("/proc/sys/kernel/osrelease") else {
        return (None, LOAD.to_owned());
    };
    let known = printable(&release);
    let Some(file) = installed(root, &release) else {
        return match lacks(root, &release) {
            Some(option) => (
                Some(format!("the kernel {known} is built without {option}")),
                format!(
                    "boot a kernel that has {} (Linux 7.3 of trixie-backports, for example)",
                    NEEDED.join(" and ")
                ),
            ),
            None => (
                Some(format!("there is no module for the running kernel {known}")),
                format!(
                    "apt-get install sgio-filter-modules-{known}, or build it for that kernel, \
                     then modprobe sgio_filter (Documentation/install.md)"
                ),
            ),
        };
    };
    if root
        .attribute("/proc/sys/kernel/modules_disabled")
        .as_deref()
        == Some("1")
    {
        return (
            Some("the kernel loads no modules any more (kernel.modules_disabled = 1)".to_owned()),
            "reboot, with the module loaded before that is set (/etc/modules-load.d)".to_owned(),
        );
    }
    if let Some(other) = built_for(root, &file).filter(|other| *other != release) {
        return (
            Some(format!(
                "{} is built for the kernel {}, not for {known}",
                printable(&file),
                printable(&other)
            )),
            format!("build and install it for {known}, then depmod and modprobe sgio_filter"),
        );
    }
    if let Some(by) = signed_only(root) {
        return (
            Some(format!(
                "the kernel loads only modules that are signed by a key it trusts ({by})"
            )),
            format!(
                "modprobe sgio_filter; if it answers 'Key was rejected by service', sign {} \
                 by a key that this machine trusts (mokutil --list-enrolled)",
                printable(&file)
            ),
        );
    }
    (None, LOAD.to_owned())
}

/// Where the module for a kernel is, as depmod has found it.
fn installed(root: &Root, release: &str) -> Option<String> {
    let directory = format!("/lib/modules/{release}");
    let text = root.attribute(format!("{directory}/modules.dep"))?;
    let file = text
        .lines()
        .filter_map(|line| line.split(':').next())
        .find(|file| {
            let name = file.rsplit('/').next().unwrap_or(file);
            name.split('.').next() == Some("sgio_filter")
        })?;
    Some(format!("{directory}/{file}"))
}

/// What the configuration of a kernel lacks, where it can be read.
fn lacks(root: &Root, release: &str) -> Option<&'static str> {
    let text = [
        format!("/boot/config-{release}"),
        format!("/lib/modules/{release}/config"),
    ]
    .into_iter()
    .find_map(|file| root.attribute(file))?;
    NEEDED.into_iter().find(|option| {
        let set = format!("{option}=y");
        !text.lines().any(|line| line == set)
    })
}

/// The kernel that a module is built for; unknown if it is compressed.
fn built_for(root: &Root, file: &str) -> Option<String> {
    let text = root.attribute(file)?;
    let (_, magic) = text.split_once("\0vermagic=")?;
    magic.split([' ', '\0']).next().map(ToOwned::to_owned)
}

/// What makes the kernel refuse modules that nobody has signed.
fn signed_only(root: &Root) -> Option<String> {
    if root
        .attribute("/sys/module/module/parameters/sig_enforce")
        .as_deref()
        == Some("Y")
    {
        return Some("module.sig_enforce".to_owned());
    }
    let lockdown = root.attribute("/sys/kernel/security/lockdown")?;
    let chosen = lockdown.split_once('[')?.1.split_once(']')?.0;
    (chosen != "none").then(|| format!("lockdown: {}", printable(chosen)))
}
