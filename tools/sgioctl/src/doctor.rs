// SPDX-License-Identifier: GPL-2.0

//! What makes the filter less than it seems.
//!
//! The checks look at files, but [`probe`], which asks the kernel as an unprivileged process would.
//! Nothing reaches any device.

pub mod bypass;
pub mod files;
pub mod module;
pub mod policy;
pub mod probe;
pub mod process;

use crate::{
    device::{self, Device},
    root::Root,
    running::{self, Running},
};
use anyhow::Result;
use probe::Probe;
use process::Process;
use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Good to know, and perhaps meant so.
    Note,
    /// The filter does not do what it seems to do.
    Problem,
}

/// What a check found.
#[derive(Clone, Serialize, Debug)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Which check: a word for programs.
    pub check: &'static str,
    /// What was found.
    pub text: String,
    /// What to do.
    pub advice: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, text: impl Into<String>) -> Finding {
        Finding {
            level: Level::Ok,
            check,
            text: text.into(),
            advice: None,
        }
    }

    fn note(check: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding {
            level: Level::Note,
            check,
            text: text.into(),
            advice: Some(advice.into()),
        }
    }

    fn problem(check: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding {
            level: Level::Problem,
            ..Finding::note(check, text, advice)
        }
    }
}

/// What the checks look at.
pub struct Facts<'a> {
    /// Where the system is.
    pub root: &'a Root,
    /// The devices, and what is in force on them.
    pub devices: Vec<(Device, Option<Running>)>,
    /// The processes that have any of them open.
    pub processes: Vec<Process>,
    /// How many processes could not be looked at.
    pub unseen: usize,
    /// Tell of root's processes too.
    pub all: bool,
    /// Ask as an unprivileged process too.
    pub probe: bool,
}

/// What all checks found.
#[derive(Serialize, Debug)]
pub struct Found {
    /// In the order in which they are best read.
    pub findings: Vec<Finding>,
    /// Device by device.
    pub probes: Vec<Probe>,
}

impl<'a> Facts<'a> {
    /// Looks around.
    ///
    /// # Errors
    ///
    /// A sysfs or procfs that cannot be read.
    pub fn gather(root: &'a Root, all: bool, probe: bool) -> Result<Facts<'a>> {
        let devices = device::scan(root)?;
        let process::Seen { processes, unseen } = process::scan(root, &devices)?;
        let running = running::devices(root, &devices)?;
        let devices = devices.into_iter().zip(running).collect();
        Ok(Facts {
            root,
            devices,
            processes,
            unseen,
            all,
            // Files that take the place of a system decide nothing.
            probe: probe && root.is_live(),
        })
    }

    /// Runs all checks.
    ///
    /// # Errors
    ///
    /// What could not be looked at.
    pub fn check(&self) -> Result<Found> {
        let mut findings = Vec::new();
        let mut probes = Vec::new();
        if module::check(self, &mut findings)? {
            if self.probe {
                probes = probe::check(self, &mut findings);
            }
            policy::check(self, &mut findings)?;
            files::check(self, &mut findings)?;
        }
        bypass::check(self, &mut findings)?;
        Ok(Found { findings, probes })
    }
}
