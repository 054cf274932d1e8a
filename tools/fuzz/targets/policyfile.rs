// SPDX-License-Identifier: GPL-2.0

//! Policy files, see `sgio_fuzz::policyfile`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sgio_fuzz::policyfile::check(data));
