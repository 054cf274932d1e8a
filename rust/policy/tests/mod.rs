// SPDX-License-Identifier: GPL-2.0

//! Tests of the built-in tables and of the grammar, and what all tests of the policy share. Those of one file stand in
//! that file, unless they are longer than it.

mod expect;
mod holes;
mod parse;
mod strict;
pub(super) mod support;
