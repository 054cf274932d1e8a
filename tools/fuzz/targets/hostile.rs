// SPDX-License-Identifier: GPL-2.0

//! What devices and files say of themselves, see `sgio_fuzz::hostile`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sgio_fuzz::hostile::check(data));
