// SPDX-License-Identifier: GPL-2.0

//! `sgioctl`: sets, checks, keeps and explains the policies of sgio-filter.
//!
//! Exit status: 0 done, and the answer is yes; 1 done, and the answer is no (refused, differs,
//! something found); 2 it could not be done.

use clap::Parser as _;
use std::{
    process::ExitCode,
    sync::{atomic::AtomicBool, Arc},
};

/// Whoever reads the output has read enough: end as the shell's other programs do.
fn end_with_the_pipe() {
    let always = Arc::new(AtomicBool::new(true));
    let pipe = signal_hook::consts::SIGPIPE;
    // Without the handler, printing into a closed pipe is a panic; that is all that is lost.
    let _ = signal_hook::flag::register_conditional_shutdown(pipe, 128 + pipe, always);
}

fn main() -> ExitCode {
    end_with_the_pipe();
    let cli = sgioctl::cli::Cli::parse();
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sgioctl: {error:#}");
            ExitCode::from(2)
        }
    }
}
