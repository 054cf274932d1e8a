// SPDX-License-Identifier: GPL-2.0

//! Decisions, see `sgio_fuzz::decide`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sgio_fuzz::decide::check(data));
