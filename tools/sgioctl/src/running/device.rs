// SPDX-License-Identifier: GPL-2.0

//! What is in force on a device.

use super::{
    files::{flag, private, rules, DEVICES},
    timed::{without_time, without_times, Timed},
};
use crate::{
    device::{Device, Hctl},
    parallel,
    root::Root,
    settings::Settings,
};
use anyhow::{bail, Context as _, Result};
use serde::Serialize;
use sgio_policy::policy::ReportLuns;

/// What is in force on one device.
#[derive(Clone, Serialize, Debug)]
pub struct Running {
    /// Its settings.
    #[serde(flatten)]
    pub settings: Settings,
    /// Its own rules, as `rules` prints them, one a line, without the time that some have left; empty:
    /// none.
    pub rules: String,
    /// Those that end by themselves.
    pub timed: Vec<Timed>,
    /// Identifies the device object: another one at the same address has another `id`.
    pub id: u64,
    /// How often each answer was given.
    pub stats: Stats,
}

impl Running {
    /// How long a rule has still to go; none: it stays.
    pub fn seconds_left(&self, number: usize) -> Option<u64> {
        let timed = self.timed.iter().find(|timed| timed.rule == number);
        timed.map(|timed| timed.seconds_left)
    }
}

/// The `stats` file.
#[derive(Clone, Copy, Default, Serialize, Debug)]
pub struct Stats {
    /// Allowed by the policy.
    pub allowed: u64,
    /// Not allowed, but the sender had `CAP_SYS_RAWIO`.
    pub privileged: u64,
    /// Not allowed, but let through because of `complain`.
    pub complained: u64,
    /// Refused.
    pub refused: u64,
    /// REPORT LUNS that the filter answered.
    pub emulated: u64,
}

/// What is in force on a device; `None` if the module does not know it.
///
/// # Errors
///
/// Files that cannot be read or understood.
pub fn device(root: &Root, hctl: Hctl) -> Result<Option<Running>> {
    let directory = format!("{DEVICES}/{hctl}/sgio_filter");
    let Some(files) = root.directory(&directory) else {
        return Ok(None);
    };
    let read = |name: &str| files.read(name);
    let Some(unpriv_sgio) = read("unpriv_sgio")? else {
        return Ok(None);
    };
    // From here on, a file that is missing was not there before either, unless the device has
    // just gone away, and its directory with it.
    let file = |name: &str| -> Result<String> {
        read(name)?.with_context(|| {
            format!("{directory}/{name} is missing: the module is older than sgioctl")
        })
    };
    let switch = |name: &str| {
        let on = file(name).and_then(|text| flag(&text));
        on.with_context(|| format!("{directory}/{name}"))
    };
    let running = || -> Result<Running> {
        let (rules, timed) = without_times(&rules(&files, &directory)?);
        Ok(Running {
            settings: Settings {
                unpriv_sgio: flag(&unpriv_sgio)
                    .with_context(|| format!("{directory}/unpriv_sgio"))?,
                complain: switch("complain")?,
                report_luns: report_luns(&file("report_luns")?)
                    .with_context(|| format!("{directory}/report_luns"))?,
                pr_exclusive: switch("pr_exclusive")?,
                filter_sg: switch("filter_sg")?,
            },
            rules,
            timed,
            id: file("id")?
                .trim()
                .parse()
                .with_context(|| format!("{directory}/id"))?,
            stats: stats(&file("stats")?).with_context(|| format!("{directory}/stats"))?,
        })
    };
    match running() {
        Ok(running) => Ok(Some(running)),
        Err(_) if !root.path(&directory).is_dir() => Ok(None),
        Err(error) => Err(error),
    }
}

/// How many rules of a device end by themselves; none where that cannot be read.
pub fn timed(root: &Root, hctl: Hctl) -> usize {
    let rules = root.read(format!("{DEVICES}/{hctl}/sgio_filter/rules"));
    let rules = rules.ok().flatten().unwrap_or_default();
    rules
        .lines()
        .filter(|line| without_time(line).1.is_some())
        .count()
}

/// What is in force on each of many devices; `None` for those that the module does not know.
///
/// # Errors
///
/// As [`device`].
pub fn devices(root: &Root, devices: &[Device]) -> Result<Vec<Option<Running>>> {
    let all = parallel::map(devices, |one| device(root, one.hctl));
    all.into_iter().collect()
}

/// How often each of the device's own rules decided: the count and the rule, in their order. None
/// for a user who may not read them.
///
/// # Errors
///
/// A file that cannot be read or understood.
pub fn hits(root: &Root, hctl: Hctl) -> Result<Vec<(u64, String)>> {
    let path = format!("{DEVICES}/{hctl}/sgio_filter/hits");
    let text = private(root, &path)?.unwrap_or_default();
    parse_hits(&text).with_context(|| path)
}

fn report_luns(text: &str) -> Result<ReportLuns> {
    ReportLuns::from_name(text.as_bytes())
        .with_context(|| format!("'{text}' is neither passthrough nor own"))
}

/// Names that are not known are those of a later version.
fn stats(text: &str) -> Result<Stats> {
    let mut stats = Stats::default();
    for line in text.lines() {
        let Some((name, value)) = line.split_once(' ') else {
            bail!("'{line}' is not a name and a value");
        };
        let count = match name {
            "allowed" => &mut stats.allowed,
            "privileged" => &mut stats.privileged,
            "complained" => &mut stats.complained,
            "refused" => &mut stats.refused,
            "emulated" => &mut stats.emulated,
            _ => continue,
        };
        *count = value.trim().parse().with_context(|| line.to_owned())?;
    }
    Ok(stats)
}

fn parse_hits(text: &str) -> Result<Vec<(u64, String)>> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (count, rule) = line
                .trim()
                .split_once(' ')
                .with_context(|| format!("'{line}' is not a count and a rule"))?;
            let count = count.parse().with_context(|| line.to_owned())?;
            Ok((count, without_time(rule.trim()).0.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stats_of_later_versions_are_understood() {
        let stats = stats("allowed 12\nprivileged 0\nnew 7\ncomplained 1\nrefused 3").unwrap();
        assert_eq!(
            (
                stats.allowed,
                stats.privileged,
                stats.complained,
                stats.refused
            ),
            (12, 0, 1, 3)
        );
        assert!(super::stats("allowed").is_err());
        assert!(super::stats("refused many").is_err());
    }

    #[test]
    fn hits_are_counts_and_rules() {
        assert_eq!(
            parse_hits("3 allow r 5e\n0 deny 48").unwrap(),
            [(3, "allow r 5e".to_owned()), (0, "deny 48".to_owned())]
        );
        assert!(parse_hits("").unwrap().is_empty());
        assert!(parse_hits("allow r 5e").is_err());
    }

    #[test]
    fn who_answers_report_luns() {
        assert_eq!(report_luns("own").unwrap(), ReportLuns::Own);
        assert_eq!(report_luns("passthrough").unwrap(), ReportLuns::Passthrough);
        assert!(report_luns("1").is_err());
    }
}
