// SPDX-License-Identifier: GPL-2.0

//! What the module has in force, read from its files in sysfs.
//!
//! The files: `Documentation/ABI/testing/`.

mod class;
mod device;
mod files;
mod grants;
mod nexus;
mod timed;

pub use self::{
    class::{class, ClassRunning},
    device::{device, devices, hits, timed, Running, Stats},
    grants::{grants, Grant, GrantRule, OF_POLICY},
    nexus::{let_go, nexus, Nexus},
    timed::{without_time, without_times, Timed},
};

use self::files::flag;
use crate::root::Root;
use anyhow::{Context as _, Result};
use std::fs;

/// Tells whether the module is there.
pub fn is_loaded(root: &Root) -> bool {
    root.path("/sys/kernel/sgio_filter").is_dir()
}

/// Tells whether classes started with the table `strict` when the module was loaded, not with `stock`.
///
/// # Errors
///
/// A sysfs that cannot be read.
pub fn is_strict(root: &Root) -> Result<bool> {
    let parameter = root.read("/sys/module/sgio_filter/parameters/strict")?;
    Ok(!matches!(parameter.as_deref(), Some("N" | "0")))
}

const FILTER_SG: &str = "/sys/kernel/sgio_filter/filter_sg";

/// Whether `/dev/sgN` of all devices is filtered however it is open; `None` without the module, or with
/// one that cannot do it.
///
/// # Errors
///
/// A file that cannot be read or understood.
pub fn filter_sg(root: &Root) -> Result<Option<bool>> {
    let text = root.read(FILTER_SG)?;
    let on = text.map(|text| flag(&text)).transpose();
    on.context(FILTER_SG)
}

/// Sets it.
///
/// # Errors
///
/// The kernel's reason.
pub fn set_filter_sg(root: &Root, on: bool) -> Result<()> {
    let text = if on { "1\n" } else { "0\n" };
    fs::write(root.path(FILTER_SG), text).context(FILTER_SG)
}
