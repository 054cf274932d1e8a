// SPDX-License-Identifier: GPL-2.0

//! Texts of rules, see `sgio_fuzz::change`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sgio_fuzz::change::check(data));
