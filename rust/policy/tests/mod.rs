// SPDX-License-Identifier: GPL-2.0

//! Tests of the built-in tables, and what all tests of the policy share. Those of one file stand in
//! that file.

mod expect;
mod holes;
mod strict;
pub(super) mod support;
