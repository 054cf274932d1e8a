// SPDX-License-Identifier: GPL-2.0

//! What the commands do and print, each on a tree of files in the place of sysfs. One program, since each links all of
//! the tool.

mod apply;
mod bounds;
mod changes;
#[path = "../common/mod.rs"]
mod common;
mod devices;
mod doctor;
mod events;
mod grant_blocks;
mod grants;
mod guests;
mod mistakes;
mod monitor;
mod pages;
mod people;
mod policy_files;
mod selectors;
