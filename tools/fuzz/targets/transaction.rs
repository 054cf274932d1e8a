// SPDX-License-Identifier: GPL-2.0

//! Texts of transactions, see `sgio_fuzz::transaction`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sgio_fuzz::transaction::check(data));
