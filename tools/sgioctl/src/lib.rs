// SPDX-License-Identifier: GPL-2.0

//! What `sgioctl` is made of.
//!
//! Which module may use which is in `Documentation/design/architecture.md`. From the bottom: [`input`] (reads with a bound), [`root`] (where sysfs
//! is), [`device`] (the SCSI devices of the host), [`settings`], [`running`] and [`kernel`] (what the module has in force),
//! [`hex`] (CDBs as text), [`names`] (commands have names), [`verdict`] (what a policy says of a command), [`policyfile`] (policies in
//! files), [`holders`] (the cgroups that those name), [`commands`] (one a file), [`cli`].

// What is printed goes through `output`, which lets nothing through that a terminal would obey.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod applied;
pub mod change;
pub mod cli;
pub mod commands;
pub mod context;
pub mod device;
pub mod doctor;
pub mod hex;
pub mod holder;
pub mod holders;
pub mod input;
pub mod kernel;
pub mod monitor;
pub mod names;
pub mod output;
pub mod parallel;
pub mod policyfile;
pub mod root;
pub mod running;
pub mod settings;
pub mod time;
pub mod verdict;
