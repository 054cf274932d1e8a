// SPDX-License-Identifier: GPL-2.0

//! What people and programs write, each kind in many spellings: the reading, or an error, and never another command.

mod advice;
mod ata;
#[path = "../common/mod.rs"]
mod common;
mod identities;
mod notation;
mod pasted;
mod unlisted;

use common::Tree;

/// What `learn --allow-destructive` makes of a CDB that was refused on a disk.
fn learn(tree: &Tree, cdb: &str) -> String {
    let line = format!(
        "{{\"schema\":\"sgioctl/1\",\"device\":\"6:0:0:0\",\"class\":\"disk\",\"outcome\":\"refused\",\
         \"decision\":\"no_rule\",\"open\":\"r\",\"uid\":107,\"comm\":\"x\",\"cdb\":\"{cdb}\"}}\n"
    );
    tree.write("/log", &line);
    let path = tree.path("/log");
    let output = tree.run(&["learn", "--allow-destructive", path.to_str().unwrap()]);
    String::from_utf8(output.stdout).unwrap()
}

/// What `check` says of a CDB on a class, its lines.
fn check(tree: &Tree, class: &str, cdb: &str) -> String {
    let output = tree.run(&["check", "--class", class, cdb]);
    String::from_utf8(output.stdout).unwrap()
}
