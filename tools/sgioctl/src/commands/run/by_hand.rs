// SPDX-License-Identifier: GPL-2.0

//! A cgroup of its own for a program, where no systemd makes one.

use crate::{
    holder::{self, Holder},
    output,
    root::Root,
};
use anyhow::{Context as _, Result};
use signal_hook::{consts, iterator::Signals};
use std::{
    ffi::OsString,
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{self, Command, ExitCode},
    thread,
    time::Duration,
};

/// What is handed on to the program. Those of a terminal reach it anyway.
const HANDED_ON: [i32; 6] = [
    consts::SIGTERM,
    consts::SIGINT,
    consts::SIGQUIT,
    consts::SIGHUP,
    consts::SIGUSR1,
    consts::SIGUSR2,
];

/// A cgroup below that of this process.
pub(super) struct Place {
    directory: PathBuf,
    path: String,
}

impl Place {
    /// Makes it.
    ///
    /// # Errors
    ///
    /// There are no cgroups of version 2, or none can be made.
    pub(super) fn new(root: &Root) -> Result<Place> {
        let above = holder::cgroup_of_this_process(root)?;
        let path = format!(
            "{}/sgioctl-run-{}",
            above.trim_end_matches('/'),
            process::id()
        );
        let directory = holder::top(root).join(path.trim_start_matches('/'));
        fs::create_dir(&directory).with_context(|| format!("a cgroup {}", directory.display()))?;
        Ok(Place { directory, path })
    }

    /// Its path in the hierarchy.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Runs a program, which is to enter it, and waits for its end.
    ///
    /// # Errors
    ///
    /// It was not started.
    pub(super) fn run(self, line: &[OsString]) -> Result<ExitCode> {
        let mut signals = Signals::new(HANDED_ON)?;
        let (program, arguments) = line.split_first().context("no program")?;
        let mut child = Command::new(program)
            .args(arguments)
            .spawn()
            .with_context(|| format!("{} was not started", program.to_string_lossy()))?;
        let handle = signals.handle();
        let pid = rustix::process::Pid::from_child(&child);
        let hand_on = thread::spawn(move || {
            for signal in &mut signals {
                if let Some(signal) = rustix::process::Signal::from_named_raw(signal) {
                    // It may have ended, and is not waited for before this thread has ended.
                    let _ = rustix::process::kill_process(pid, signal);
                }
            }
        });
        // Not reaped yet: so the number stays its own until no signal is handed on any more.
        let ended = rustix::process::waitid(
            rustix::process::WaitId::Pid(pid),
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT,
        );
        handle.close();
        let _ = hand_on.join();
        ended?;
        let status = child.wait()?;
        let code = status
            .code()
            .or_else(|| status.signal().map(|signal| 128 + signal));
        Ok(ExitCode::from(u8::try_from(code.unwrap_or(2)).unwrap_or(2)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What has ended leaves its cgroup a moment later.
        for _ in 0..50 {
            match fs::remove_dir(&self.directory) {
                Ok(()) => return,
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
        output::note(&format!(
            "note: {} is left: something that the program started is still in it, and holds its grants",
            self.directory.display()
        ));
    }
}

/// Puts this process there.
///
/// # Errors
///
/// It could not be put there.
pub(super) fn enter(root: &Root, path: &Path) -> Result<Holder> {
    let path = path.to_str().context("the path is no UTF-8")?;
    let holder = Holder::at(root, path)?;
    let file = holder::top(root)
        .join(path.trim_start_matches('/'))
        .join("cgroup.procs");
    fs::write(&file, "0").with_context(|| file.display().to_string())?;
    Ok(holder)
}
