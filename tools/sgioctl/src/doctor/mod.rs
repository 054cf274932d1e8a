// SPDX-License-Identifier: GPL-2.0

//! What makes the filter less than it seems.
//!
//! The checks look at files, but [`probe`], which asks the kernel as an unprivileged process would.
//! Nothing reaches any device.

mod facts;
pub mod files;
mod finding;
mod generic_nodes;
pub mod module;
mod not_loaded;
pub mod policy;
pub mod probe;
pub mod process;
mod rawio;
mod shared_nexus;

pub use self::{
    facts::Facts,
    finding::{Finding, Level, OfDevice, OfProcess},
};

use anyhow::Result;
use probe::Probe;
use serde::Serialize;

/// What all checks found.
#[derive(Serialize, Debug)]
pub struct Found {
    /// In the order in which they are best read.
    pub findings: Vec<Finding>,
    /// Device by device.
    pub probes: Vec<Probe>,
}

impl Facts<'_> {
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
        generic_nodes::check(self, &mut findings)?;
        rawio::check(self, &mut findings);
        shared_nexus::check(self, &mut findings);
        Ok(Found { findings, probes })
    }
}
