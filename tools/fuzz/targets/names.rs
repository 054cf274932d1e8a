// SPDX-License-Identifier: GPL-2.0

//! CDBs and names of commands, see `sgio_fuzz::names`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sgio_fuzz::names::check(data));
