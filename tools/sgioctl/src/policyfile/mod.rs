// SPDX-License-Identifier: GPL-2.0

//! Policies in files: selectors, profiles, rules.
//!
//! The format: `Documentation/admin-guide/policy-files.md`, sgio-policy(5).
//!
//! Files become [`Policies`] ([`load`]), those and devices become [`Resolved`] states
//! ([`Policies::resolve`]), and those one text for the kernel ([`transaction`]). [`lint`] looks for what
//! is legal and most likely not meant, [`compare`] for what a policy would change; [`write()`] makes a file. Only [`load()`]
//! reads files, with `source`, which checks who may write them; all else is a function of its arguments.

mod built_in;
mod command;
pub mod compare;
mod convert;
mod grant;
mod holder_name;
mod impossible;
mod index;
pub mod lint;
mod lists;
mod load;
mod mistake;
mod near;
mod overlap;
mod place;
mod planned;
mod policies;
mod profile;
mod raw;
mod resolve;
mod select;
mod source;
mod spelling;
pub mod transaction;
mod write;

pub use self::{
    command::CommandItem,
    grant::{Present, Wanted},
    holder_name::{is_unit, HolderName},
    impossible::never_matching,
    index::Index,
    lists::Lists,
    load::{load, load_profiles, parse, DEFAULT_DIRECTORY},
    place::{At, Fault, Faults, Place, Text},
    planned::{planned, planned_class},
    policies::{Block, ClassBlock, ClassContent, GrantBlock, Policies},
    profile::{Profile, Profiles},
    resolve::{Origin, PlacedRule, Resolved},
    select::{Maps, Pattern, Selector},
    write::{write, NewBlock, Unit},
};
