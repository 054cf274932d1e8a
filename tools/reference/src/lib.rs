// SPDX-License-Identifier: GPL-2.0

//! A second, naive implementation of the rules, after the documentation alone.
//!
//! `Documentation/admin-guide/rules.md` and `Documentation/ABI/testing/` say what it does; it shares no code
//! with the policy, and does everything in the most obvious way: sets are sets, lists are searched from
//! the front, texts are cut into words. All tests in user space that need to know what a rule says ask it; those in
//! the kernel have tables.

pub mod decide;
pub mod history;
pub mod rule;
pub mod text;
pub mod transaction;
