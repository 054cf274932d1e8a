// SPDX-License-Identifier: GPL-2.0

//! `sgioctl`: sets, checks, keeps and explains the policies of sgio-filter.
//!
//! Exit status: 0 done, and the answer is yes; 1 done, and the answer is no (refused, differs,
//! something found); 2 it could not be done; 3 done, but the report could not be written.

use sgioctl::{cli::Cli, output};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::of_process();
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            sgioctl::cli::tell(&error);
            let done = error.downcast_ref::<output::Unreported>().is_some();
            ExitCode::from(if done { 3 } else { 2 })
        }
    }
}
