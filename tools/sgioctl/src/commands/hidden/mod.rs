// SPDX-License-Identifier: GPL-2.0

//! Commands that are not for people: of the completions, of `sgioctl doctor`, of `make install`.

pub mod complete;
pub mod doctor_probe;
pub mod generate;
