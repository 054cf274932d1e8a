// SPDX-License-Identifier: GPL-2.0

//! `sgioctl doctor-probe`: the unprivileged child of `sgioctl doctor`.
//!
//! It gets a device as its standard input, becomes nobody, and only then asks.

use crate::{
    context::Context,
    kernel::sg_io::{self, KernelAnswer},
    output,
};
use anyhow::{bail, Context as _, Result};
use rustix::{
    process::{Gid, Uid},
    thread::{self, CapabilitySet, CapabilitySets},
};
use std::{io, process::ExitCode};

const NOBODY: u32 = 65534;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The CDB, in hexadecimal digits.
    cdb: String,
}

/// Prints the answer: a word, or the number of an error.
///
/// # Errors
///
/// The process could not give up its privileges: then nothing is asked.
pub fn run(_: &Context, args: Args) -> Result<ExitCode> {
    let cdb = bytes(&args.cdb)?;
    become_nobody().context("cannot become nobody")?;
    let answer = match sg_io::ask(io::stdin(), &cdb) {
        KernelAnswer::Allowed => "allowed".to_owned(),
        KernelAnswer::Refused => "refused".to_owned(),
        KernelAnswer::Sent => "sent".to_owned(),
        KernelAnswer::Error(errno) => errno.raw_os_error().to_string(),
    };
    output::print(&format!("{answer}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// Of the process, which has one thread.
fn become_nobody() -> Result<()> {
    let nothing = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    thread::set_thread_groups(&[])?;
    thread::set_thread_res_gid(gid, gid, gid)?;
    thread::set_thread_res_uid(uid, uid, uid)?;
    thread::clear_ambient_capability_set()?;
    thread::set_capabilities(None, nothing)?;
    thread::set_no_new_privs(true)?;
    if thread::capabilities(None)? != nothing || rustix::process::getuid() != uid {
        bail!("some privileges are left");
    }
    Ok(())
}

fn bytes(hex: &str) -> Result<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2).map(|pair| {
        let text = std::str::from_utf8(pair)?;
        u8::from_str_radix(text, 16).with_context(|| format!("'{hex}' is no CDB"))
    });
    digits.collect()
}
