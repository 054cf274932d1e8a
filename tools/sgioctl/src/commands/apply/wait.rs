// SPDX-License-Identifier: GPL-2.0

//! Waits until the module knows a device.

use super::kernel_log::log;
use crate::{device::Hctl, root::Root};
use anyhow::{bail, Context as _, Result};
use std::{
    thread,
    time::{Duration, Instant},
};

/// How long a device that is being probed is waited for: a changer that takes its inventory, a drive that
/// loads its medium. udev gives an event 180 s.
const PROBE: Duration = Duration::from_secs(120);
/// How long after its probe the module may take to know it.
const AFTER_PROBE: Duration = Duration::from_secs(3);

fn id(root: &Root, hctl: Hctl) -> Result<Option<u64>> {
    let path = format!("/sys/bus/scsi/devices/{hctl}/sgio_filter/id");
    match root.read(&path)? {
        None => Ok(None),
        Some(text) => Ok(Some(text.trim().parse().context(path)?)),
    }
}

/// The event of a device may come before the module knows it, while its driver still probes it. Until this
/// event is done, udev opens no node of the device to anybody.
pub(super) fn wait_until_known(root: &Root, hctl: Hctl) -> Result<()> {
    let device = format!("/sys/bus/scsi/devices/{hctl}");
    let there = |path: &str| root.path(path).exists();
    let (began, mut probed, mut said) = (Instant::now(), None, false);
    while id(root, hctl)?.is_none() {
        if !there(&device) {
            bail!("the device has gone");
        }
        if !there("/sys/kernel/sgio_filter") {
            bail!("the module sgio_filter is not loaded");
        }
        // The class device, that of modules like ours, is made behind the probe.
        if there(&format!("{device}/scsi_device/{hctl}")) {
            probed.get_or_insert_with(Instant::now);
        }
        if probed.is_some_and(|probed| probed.elapsed() > AFTER_PROBE) || began.elapsed() > PROBE {
            let waited = began.elapsed().as_secs();
            bail!("the module sgio_filter does not know {hctl} (waited for {waited} s)");
        }
        if !said && began.elapsed() > Duration::from_secs(1) {
            said = true;
            log(
                root,
                &format!("{hctl}: waits until its driver has probed it"),
            );
        }
        thread::sleep(Duration::from_millis(20));
    }
    if said {
        let waited = began.elapsed().as_secs();
        log(root, &format!("{hctl}: is there, after {waited} s"));
    }
    Ok(())
}
