// SPDX-License-Identifier: GPL-2.0

//! Takes back what was granted for a while.
//!
//! Somebody must be there when the time is over: a transient timer of systemd, or a process of
//! our own that has left the session. Neither outlives a reboot; but neither do the rules.

use super::{rules, transact};
use crate::{cli::Context, device::Hctl, running};
use anyhow::{bail, Context as _, Error, Result};
use std::{
    env, fmt,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    str::FromStr,
    thread,
    time::Duration,
};

/// A rule to be taken back: `H:C:T:L ID RULE`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Granted {
    /// The address.
    pub hctl: Hctl,
    /// The device that had the address then.
    pub id: u64,
    /// The rule, in canonical form.
    pub rule: String,
}

impl fmt::Display for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.hctl, self.id, self.rule)
    }
}

impl FromStr for Granted {
    type Err = Error;

    fn from_str(text: &str) -> Result<Granted> {
        let mut parts = text.splitn(3, ' ');
        let (Some(hctl), Some(id), Some(rule)) = (parts.next(), parts.next(), parts.next()) else {
            bail!("'{text}' is not 'H:C:T:L ID RULE'");
        };
        let [rule] = rules::parse(rule)?[..] else {
            bail!("'{rule}' is not one rule");
        };
        Ok(Granted {
            hctl: hctl.parse()?,
            id: id.parse().with_context(|| text.to_owned())?,
            rule: rule.to_string(),
        })
    }
}

/// A time of the command line, in seconds: `90s`, `10m`, `2h`, `1d`.
///
/// # Errors
///
/// Anything else, 0 included.
pub fn duration(text: &str) -> Result<u64> {
    let wrong = || format!("'{text}' is no time: a number and s, m, h or d, like 10m");
    let unit = text.chars().last().with_context(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => bail!(wrong()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default();
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        bail!(wrong());
    }
    let number: u64 = number.parse().with_context(wrong)?;
    number
        .checked_mul(seconds)
        .filter(|seconds| (1..=10 * 365 * 24 * 60 * 60).contains(seconds))
        .with_context(wrong)
}

/// Whoever takes the rules back when the time is over.
pub enum Timer {
    /// A transient timer of systemd, by the name of its unit.
    Systemd(String),
    /// A process of our own.
    Process(Child),
}

impl Timer {
    /// Starts it. This comes before the grant: if it fails, nothing has been granted that
    /// nobody would take back.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn start(context: &Context, seconds: u64, granted: &[Granted]) -> Result<Timer> {
        let own = env::current_exe().context("where is this program?")?;
        let mut arguments = vec![
            "--root".to_owned(),
            context.root.path("/").display().to_string(),
            "allow".to_owned(),
        ];
        for granted in granted {
            arguments.push("--granted".to_owned());
            arguments.push(granted.to_string());
        }
        arguments.push("--take-back".to_owned());

        if context.root.path("/run/systemd/system").is_dir() {
            let unit = format!("sgioctl-take-back-{}", std::process::id());
            let mut command = Command::new("systemd-run");
            command
                .args(["--quiet", "--collect", "--timer-property=AccuracySec=1s"])
                .arg(format!("--unit={unit}"))
                .arg(format!("--on-active={seconds}s"))
                .arg("--description=Take back SCSI commands allowed by sgioctl for a while")
                .arg("--")
                .arg(&own)
                .args(&arguments)
                .arg("0");
            let status = command.status().context("systemd-run")?;
            if !status.success() {
                bail!("systemd-run failed ({status}); nothing was allowed");
            }
            return Ok(Timer::Systemd(unit));
        }

        let mut child = Command::new(&own)
            .args(&arguments)
            .arg(seconds.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| own.display().to_string())?;
        // It says a word once it has left this session, whose end would be its end too.
        let mut word = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut word)?;
        }
        if word.trim() != READY {
            bail!("the process that takes the rules back did not start; nothing was allowed");
        }
        Ok(Timer::Process(child))
    }

    /// Ends it, since there is nothing to take back.
    pub fn cancel(self) {
        // Whatever goes wrong here: taking back what is not there does nothing.
        match self {
            Timer::Systemd(unit) => {
                let _ = Command::new("systemctl")
                    .args(["stop", &format!("{unit}.timer")])
                    .status();
            }
            Timer::Process(mut child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

const READY: &str = "ready";

/// Waits, and takes back what is still there of the rules. A device that has gone, or another one
/// at the same address, has nothing of ours.
///
/// # Errors
///
/// The kernel's reason; the other devices have been done nevertheless.
pub fn take_back(context: &Context, seconds: u64, granted: &[Granted]) -> Result<()> {
    if seconds > 0 {
        // This fails only for the leader of a group, which a shell's child may be: then a process
        // group of its own is what it has already.
        let _ = rustix::process::setsid();
        crate::output::emit(&format!("{READY}\n"))?;
        thread::sleep(Duration::from_secs(seconds));
    }
    let mut result = Ok(());
    let mut devices: Vec<(Hctl, u64)> = granted.iter().map(|g| (g.hctl, g.id)).collect();
    devices.sort_unstable();
    devices.dedup();
    for (hctl, id) in devices {
        let of_device: Vec<&Granted> = granted
            .iter()
            .filter(|granted| granted.hctl == hctl && granted.id == id)
            .collect();
        // Somebody may edit the rules in between; twice is bad luck, not three times.
        let mut done = Ok(());
        for _ in 0..3 {
            done = take_back_from(context, hctl, id, &of_device);
            if done.is_ok() {
                break;
            }
        }
        result = result.and(done.with_context(|| hctl.to_string()));
    }
    result
}

fn take_back_from(context: &Context, hctl: Hctl, id: u64, granted: &[&Granted]) -> Result<()> {
    let Some(running) = running::device(&context.root, hctl)? else {
        return Ok(());
    };
    if running.id != id {
        return Ok(());
    }
    let mut there: Vec<&str> = running.rules.lines().collect();
    let mut lines = String::new();
    for granted in granted {
        if let Some(at) = there.iter().position(|rule| *rule == granted.rule) {
            there.remove(at);
            lines.push_str(&format!("-{}\n", granted.rule));
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    transact(context, &format!("device {hctl} id={id}\nrules\n{lines}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(duration("90s").unwrap(), 90);
        assert_eq!(duration("10m").unwrap(), 600);
        assert_eq!(duration("2h").unwrap(), 7200);
        assert_eq!(duration("1d").unwrap(), 86400);
        for wrong in [
            "",
            "10",
            "m",
            "0m",
            "-1m",
            "+1m",
            "1.5h",
            "1 h",
            "10µ",
            "99999999999999999999d",
            "9999999d",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_granted_survives_the_command_line() {
        let text = "6:0:0:0 17 allow w 5f [1]&1f=00-04,06";
        let granted: Granted = text.parse().unwrap();
        assert_eq!(granted.to_string(), text);
        for wrong in [
            "",
            "6:0:0:0 17",
            "6:0:0:0 x deny 48",
            "6:0:0 1 deny 48",
            "6:0:0:0 1 +deny 4",
        ] {
            assert!(wrong.parse::<Granted>().is_err(), "{wrong}");
        }
    }
}
