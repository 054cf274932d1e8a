// SPDX-License-Identifier: GPL-2.0

//! What every command gets.

use crate::{output::Output, root::Root};

/// What every command gets.
pub struct Context {
    /// Where the system is.
    pub root: Root,
    /// Where the answer goes.
    pub output: Output,
    /// The command line, for what is generated from it.
    pub command_line: fn() -> clap::Command,
}
