// SPDX-License-Identifier: GPL-2.0

//! What people and programs write, each kind in many spellings: the reading, or an error, and never another command.

mod advice;
mod ata;
#[path = "../common/mod.rs"]
mod common;
mod identities;
mod notation;
mod pasted;

use common::Tree;

/// What `check` says of a CDB on a class, its lines.
fn check(tree: &Tree, class: &str, cdb: &str) -> String {
    let output = tree.run(&["check", "--class", class, cdb]);
    String::from_utf8(output.stdout).unwrap()
}
