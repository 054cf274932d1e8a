// SPDX-License-Identifier: GPL-2.0

//! What is fuzzed, and what it is held against.
//!
//! Each target is a function from bytes to nothing that panics when the policy or the tool differs
//! from [`reference`], or breaks a promise of its own. The programs in `targets/` hand it what libFuzzer
//! makes up.

pub mod change;
pub mod decide;
pub mod hostile;
pub mod names;
mod of_policy;
pub mod policyfile;
pub mod transaction;

/// What stands before and behind the first NUL, which is in no text.
fn split(data: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let first = parts.next().unwrap_or_default();
    (first, parts.next().unwrap_or_default())
}
