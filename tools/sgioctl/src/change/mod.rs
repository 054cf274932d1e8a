// SPDX-License-Identifier: GPL-2.0

//! Changes to devices from the command line: which devices, what changes, one transaction.

pub mod rules;

use crate::{
    applied::{self, Applied, Lock},
    context::Context,
    device::{self, Device, Hctl},
    kernel,
    output::{self, printable},
    running::{self, Running},
};
use anyhow::{bail, Result};
use serde::Serialize;
use std::process::ExitCode;

/// A device to be changed, and what is in force on it.
pub struct Target {
    /// The device.
    pub device: Device,
    /// What is in force.
    pub running: Running,
}

/// What a command did, or would do, to one device.
#[derive(Serialize, Debug)]
pub struct Changed {
    /// Its address.
    pub hctl: Hctl,
    /// Its name.
    pub name: String,
    /// What changes, one line each; empty: it is as wanted already.
    pub changes: Vec<String>,
}

/// The answer of all commands that change devices.
#[derive(Serialize, Debug)]
struct Answer<'a> {
    devices: &'a [Changed],
    dry_run: bool,
    /// What the kernel was given; empty if there was nothing to do.
    transaction: &'a str,
    /// After how many seconds the kernel takes back what was allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_back_in: Option<u64>,
}

/// What is to be done, gathered device by device.
#[derive(Default)]
pub struct Plan {
    changed: Vec<Changed>,
    transaction: String,
    dry_run: bool,
    taken_back_in: Option<u64>,
    /// The devices that it is about, whether anything is to be done or not.
    ids: Vec<(Hctl, u64)>,
    /// Held from before the devices are looked at until all is done: an event must not come in between.
    _lock: Option<Lock>,
}

impl Plan {
    /// Nothing is to be done yet, and no event does anything until this is dropped. To be made before the devices are
    /// looked at. With `dry_run`, it is only said, not done.
    pub fn new(context: &Context, dry_run: bool) -> Plan {
        Plan {
            dry_run,
            _lock: (!dry_run).then(|| applied::lock(&context.root)),
            ..Plan::default()
        }
    }

    /// What is done ends in so many seconds, by itself: it is only said.
    pub fn taken_back_in(self, seconds: Option<u64>) -> Plan {
        Plan {
            taken_back_in: seconds,
            ..self
        }
    }

    /// Adds a device with what changes on it, in words and, behind the `device` line, for the
    /// kernel. Without changes the device is only reported.
    pub fn add(&mut self, target: &Target, changes: Vec<String>, body: &str) {
        if !changes.is_empty() {
            self.transaction.push_str(&section(target, body));
        }
        self.report_only(target, changes);
    }

    /// Adds a device of which only something is to be said.
    pub fn report_only(&mut self, target: &Target, changes: Vec<String>) {
        self.ids.push((target.device.hctl, target.running.id));
        self.changed.push(Changed {
            hctl: target.device.hctl,
            name: target.device.name(),
            changes,
        });
    }

    /// Whether it will be reported as done, or as what would be done.
    pub fn said(self, dry_run: bool) -> Plan {
        Plan { dry_run, ..self }
    }

    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.transaction.is_empty()
    }

    /// Does it, all in one transaction, and says so.
    ///
    /// # Errors
    ///
    /// The kernel's reason, then nothing has changed.
    pub fn carry_out(&self, context: &Context, command: &str) -> Result<ExitCode> {
        self.put_in_force(context)?;
        self.report(context, command)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Does it, all in one transaction.
    ///
    /// # Errors
    ///
    /// The kernel's reason, then nothing has changed.
    pub fn put_in_force(&self, context: &Context) -> Result<()> {
        if self.dry_run {
            return Ok(());
        }
        if !self.is_empty() {
            kernel::transact(&context.root, &self.transaction)?;
        }
        // From now on this is what is meant, also where it is what was there, or the defaults.
        for (hctl, id) in &self.ids {
            let kept = Applied::by_hand(*id).write(&context.root, *hctl);
            // Who may not change devices may ask for what is there already.
            if let (Err(error), false) = (kept, self.is_empty()) {
                output::note(&format!(
                    "done, but not remembered: a later event may apply a policy file: {error:#}"
                ));
                break;
            }
        }
        Ok(())
    }

    /// Says what was done.
    ///
    /// # Errors
    ///
    /// It cannot be said.
    pub fn report(&self, context: &Context, command: &str) -> Result<()> {
        let answer = Answer {
            devices: &self.changed,
            dry_run: self.dry_run,
            transaction: &self.transaction,
            taken_back_in: self.taken_back_in.filter(|_| !self.is_empty()),
        };
        let reported = context.output.answer(command, &answer, || {
            let mut text = String::new();
            for device in &self.changed {
                let name = match device.hctl.to_string() {
                    address if address == device.name => address,
                    address => format!("{} ({address})", printable(&device.name)),
                };
                if device.changes.is_empty() {
                    text.push_str(&format!("{name}: nothing to change\n"));
                }
                for change in &device.changes {
                    text.push_str(&format!("{name}: {}\n", printable(change)));
                }
            }
            if self.dry_run {
                text.push_str("(dry run: nothing was changed)\n");
            }
            output::print(&text)
        });
        output::reported(reported, !self.dry_run && !self.is_empty())
    }
}

/// The devices that `name` means, with what is in force on them.
///
/// # Errors
///
/// No such device; one that the module does not know.
pub fn targets(context: &Context, name: &str) -> Result<Vec<Target>> {
    let found = device::find(&context.root, name)?;
    if let [only] = &found[..] {
        hint_at_other_paths(context, name, only);
    }
    found
        .into_iter()
        .map(|device| {
            let Some(running) = running::device(&context.root, device.hctl)? else {
                bail!("{}", unknown(context, &device));
            };
            if device.id != Some(running.id) {
                bail!(
                    "{}: another device came to this address while it was looked at: try again",
                    device.full_name()
                );
            }
            Ok(Target { device, running })
        })
        .collect()
}

/// A change of one path of a map is seldom what is meant.
fn hint_at_other_paths(context: &Context, name: &str, device: &Device) {
    let Some(map) = &device.multipath else {
        return;
    };
    let paths = device::find(&context.root, &map.node).map_or(0, |paths| paths.len());
    if paths > 1 && name != map.name && name != map.node {
        output::note(&format!(
            "note: {} is one of {paths} paths of {}; name the map to mean all",
            device.name(),
            printable(&map.name),
        ));
    }
}

/// Why there is no filter for a device.
pub fn unknown(context: &Context, device: &Device) -> String {
    let name = device.full_name();
    if running::is_loaded(&context.root) {
        format!("{name} has no filter (it may be just coming or going)")
    } else {
        format!("{name} has no filter: the module sgio_filter is not loaded")
    }
}

/// A section of a transaction. The `id`, read before anything else of the device, makes sure that it is
/// still the device that was looked at.
pub fn section(target: &Target, body: &str) -> String {
    format!(
        "device {} id={}\n{body}",
        target.device.hctl, target.running.id
    )
}

/// Sets a switch (one of [`Settings::switches`](crate::settings::Settings::switches)) of all devices that `name` means.
///
/// # Errors
///
/// As [`targets`] and [`Plan::put_in_force`].
pub fn switch(
    context: &Context,
    command: &str,
    name: &str,
    switch: &str,
    on: bool,
    dry_run: bool,
) -> Result<ExitCode> {
    let mut plan = Plan::new(context, dry_run);
    for target in targets(context, name)? {
        let switches = target.running.settings.switches();
        let before = switches.iter().any(|(name, on)| *name == switch && *on);
        let changes = if before == on {
            Vec::new()
        } else {
            vec![format!(
                "{switch} {} -> {}",
                output::on_off(before),
                output::on_off(on)
            )]
        };
        plan.add(&target, changes, &format!("{switch} {}\n", u8::from(on)));
    }
    plan.carry_out(context, command)
}

/// On or off, as a word of the command line.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnOff {
    /// 1.
    #[value(alias = "1", alias = "yes", alias = "true")]
    On,
    /// 0.
    #[value(alias = "0", alias = "no", alias = "false")]
    Off,
}
