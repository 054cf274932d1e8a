// SPDX-License-Identifier: GPL-2.0

//! The driver core.

pub(crate) mod bus;
