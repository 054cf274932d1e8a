// SPDX-License-Identifier: GPL-2.0

//! The commands: a file or a folder for each.

pub mod allow;
pub mod apply;
pub mod check;
pub mod complain;
pub mod deny;
pub mod diff;
pub mod doctor;
pub mod explain;
pub mod grant;
pub mod grants;
pub mod hidden;
pub mod learn;
pub mod lint;
pub mod list;
pub mod monitor;
pub mod profiles;
pub mod reset;
pub mod revoke;
pub mod run;
pub mod set;
pub mod show;

pub use hidden::{complete, doctor_probe, generate};
