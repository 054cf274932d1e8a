// SPDX-License-Identifier: GPL-2.0

//! The process that asks as nobody: this program again, with the device as its standard input.
//!
//! It is a process of its own, not a thread: privileges are given up for good, and a kernel that
//! does not answer (a queue that is frozen) holds that process only.

use crate::{device::Device, kernel::sg_io::KernelAnswer};
use anyhow::{anyhow, bail, Context as _, Result};
use rustix::{
    event::{poll, PollFd, PollFlags, Timespec},
    io::Errno,
};
use std::{
    error, fmt,
    fs::File,
    io::Read as _,
    process::{Child, Command, Stdio},
};

const SECONDS: i64 = 10;

/// No answer in time.
#[derive(Debug)]
pub(super) struct Silent;

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer within {SECONDS} seconds")
    }
}

impl error::Error for Silent {}

/// For reading only. Of all interfaces, this is there for each device, and asks each time.
pub(super) fn open(device: &Device) -> Result<File> {
    let node = format!("/dev/bsg/{}", device.hctl);
    File::open(&node).context(node)
}

/// What a process without privileges is told about that CDB.
pub(super) fn ask(device: File, cdb: &str) -> Result<KernelAnswer> {
    let mut child = Command::new("/proc/self/exe")
        .args(["doctor-probe", cdb])
        .env_clear()
        .stdin(Stdio::from(device))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start a process")?;
    let answer = answer(&mut child);
    if answer.is_err() {
        // It may hang in the kernel, where nothing ends it: not to be waited for.
        let _ = child.kill();
    } else {
        child.wait()?;
    }
    answer
}

fn answer(child: &mut Child) -> Result<KernelAnswer> {
    let mut stdout = child.stdout.take().context("no pipe")?;
    let timeout = Timespec {
        tv_sec: SECONDS,
        tv_nsec: 0,
    };
    let mut wait = [PollFd::new(&stdout, PollFlags::IN)];
    if rustix::io::retry_on_intr(|| poll(&mut wait, Some(&timeout)))? == 0 {
        bail!(Silent);
    }
    // It writes a line at once, or ends without one.
    let mut line = [0; 32];
    let length = stdout.read(&mut line)?;
    let line = String::from_utf8_lossy(line.get(..length).unwrap_or(&line));
    match line.trim() {
        "allowed" => Ok(KernelAnswer::Allowed),
        "refused" => Ok(KernelAnswer::Refused),
        "sent" => Ok(KernelAnswer::Sent),
        "" => Err(anyhow!("the process could not give up its privileges")),
        number => Ok(KernelAnswer::Error(Errno::from_raw_os_error(
            number.parse()?,
        ))),
    }
}
