// SPDX-License-Identifier: GPL-2.0

//! What the module has in force, read from its files in sysfs.
//!
//! The files: `Documentation/ABI/testing/`.

use crate::{
    device::{Device, Hctl},
    parallel,
    root::{Directory, Root},
    settings::Settings,
};
use anyhow::{bail, Context as _, Result};
use serde::Serialize;
use sgio_policy::policy::{Class, ReportLuns};
use std::{fs, io};

const DEVICES: &str = "/sys/bus/scsi/devices";
const CLASSES: &str = "/sys/kernel/sgio_filter/classes";

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

/// A rule that ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
pub struct Timed {
    /// Its number in the list, from 0.
    pub rule: usize,
    /// How long it has still to go.
    pub seconds_left: u64,
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

/// The files `nexus` and `pr_owner`: how the device is reached, and who may reserve it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Debug)]
pub struct Nexus {
    /// Host, channel and target, as `6:0:0`.
    pub nexus: String,
    /// The name of the logical unit; none if it has none.
    pub lu: Option<String>,
    /// The path of the cgroup that owns the nexus while `pr_exclusive` is on, for those who may know.
    pub owner: Option<String>,
    /// The devices that are this logical unit through this nexus.
    pub devices: Vec<String>,
}

/// What is in force on a class.
#[derive(Clone, Serialize, Debug)]
pub struct ClassRunning {
    /// `strict`, `stock` or `custom`.
    pub table: String,
    /// Its rules, one a line.
    pub rules: String,
}

/// Tells whether the module is there.
pub fn is_loaded(root: &Root) -> bool {
    root.path("/sys/kernel/sgio_filter").is_dir()
}

/// Tells whether classes started with the table `strict` when the module was loaded, not with `stock`.
///
/// # Errors
///
/// A sysfs that cannot be read.
pub fn is_strict(root: &Root) -> Result<bool> {
    let parameter = root.read("/sys/module/sgio_filter/parameters/strict")?;
    Ok(!matches!(parameter.as_deref(), Some("N" | "0")))
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

/// What is in a file of root's alone; none for others. Everything else of a device can be shown to everybody.
fn private(root: &Root, path: &str) -> Result<Option<String>> {
    match root.read(path) {
        Err(error)
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied) =>
        {
            Ok(None)
        }
        text => text,
    }
}

/// How a device is reached, and who shares that; `None` if the module does not know the device.
///
/// # Errors
///
/// A file that cannot be read.
pub fn nexus(root: &Root, hctl: Hctl) -> Result<Option<Nexus>> {
    let directory = format!("{DEVICES}/{hctl}/sgio_filter");
    let Some(text) = root.read(format!("{directory}/nexus"))? else {
        return Ok(None);
    };
    let owner = private(root, &format!("{directory}/pr_owner"))?;
    Ok(Some(Nexus {
        owner: owner.as_deref().and_then(parse_owner),
        ..parse_nexus(&text)
    }))
}

/// Lets the owner of a device's I_T nexus go.
///
/// # Errors
///
/// The kernel's reason.
pub fn let_go(root: &Root, hctl: Hctl) -> Result<()> {
    let path = root.path(format!("{DEVICES}/{hctl}/sgio_filter/pr_exclusive"));
    fs::write(&path, "reset\n").with_context(|| path.display().to_string())
}

const FILTER_SG: &str = "/sys/kernel/sgio_filter/filter_sg";

/// Whether `/dev/sgN` of all devices is filtered however it is open; `None` without the module, or with
/// one that cannot do it.
///
/// # Errors
///
/// A file that cannot be read or understood.
pub fn filter_sg(root: &Root) -> Result<Option<bool>> {
    let text = root.read(FILTER_SG)?;
    let on = text.map(|text| flag(&text)).transpose();
    on.context(FILTER_SG)
}

/// Sets it.
///
/// # Errors
///
/// The kernel's reason.
pub fn set_filter_sg(root: &Root, on: bool) -> Result<()> {
    let text = if on { "1\n" } else { "0\n" };
    fs::write(root.path(FILTER_SG), text).context(FILTER_SG)
}

/// What is in force on a class; `None` without the module.
///
/// # Errors
///
/// Files that cannot be read.
pub fn class(root: &Root, class: Class) -> Result<Option<ClassRunning>> {
    let directory = format!("{CLASSES}/{}", class.name());
    let Some(files) = root.directory(&directory) else {
        return Ok(None);
    };
    let Some(table) = files.read("table")? else {
        return Ok(None);
    };
    Ok(Some(ClassRunning {
        table: table.trim().to_owned(),
        rules: rules(&files, &directory)?,
    }))
}

/// The file `rules`, without the empty line that says that there are none. A list longer than a
/// page comes in pieces, between which it may have changed: it is read until it stays the same.
fn rules(files: &Directory, directory: &str) -> Result<String> {
    const PAGE: usize = 4096;
    let read = || -> Result<String> {
        let text = files.read("rules")?;
        text.with_context(|| format!("{directory}/rules is missing"))
    };
    let mut text = read()?;
    if text.len() >= PAGE {
        for _ in 0..10 {
            let again = read()?;
            if again == text {
                break;
            }
            text = again;
        }
    }
    Ok(text.trim().to_owned())
}

/// The rules of a text without the time that some have left, and which those are.
pub fn without_times(text: &str) -> (String, Vec<Timed>) {
    let mut timed = Vec::new();
    let mut rules = String::with_capacity(text.len());
    for (number, line) in text.lines().enumerate() {
        let (rule, seconds_left) = without_time(line);
        timed.extend(seconds_left.map(|seconds_left| Timed {
            rule: number,
            seconds_left,
        }));
        if number > 0 {
            rules.push('\n');
        }
        rules.push_str(rule);
    }
    (rules, timed)
}

/// A rule and the time that it has left: `allow w 89 for=574`.
pub fn without_time(line: &str) -> (&str, Option<u64>) {
    let timed = line
        .rsplit_once(" for=")
        .and_then(|(rule, seconds)| Some((rule, seconds.parse().ok()?)));
    timed.map_or((line, None), |(rule, seconds)| (rule, Some(seconds)))
}

fn flag(text: &str) -> Result<bool> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => bail!("'{text}' is neither 0 nor 1"),
    }
}

fn report_luns(text: &str) -> Result<ReportLuns> {
    ReportLuns::from_name(text.as_bytes())
        .with_context(|| format!("'{text}' is neither passthrough nor own"))
}

/// The path behind the id, if there is an owner.
fn parse_owner(text: &str) -> Option<String> {
    text.split_once(' ').map(|(_, path)| path.to_owned())
}

/// Names that are not known are those of a later version.
fn parse_nexus(text: &str) -> Nexus {
    let mut nexus = Nexus::default();
    for (name, value) in text.lines().filter_map(|line| line.split_once(' ')) {
        match name {
            "nexus" => value.clone_into(&mut nexus.nexus),
            "lu" => nexus.lu = (value != "-").then(|| value.to_owned()),
            "device" => nexus.devices.push(value.to_owned()),
            _ => (),
        }
    }
    nexus
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
    fn rules_that_end_are_told_from_those_that_stay() {
        let (rules, timed) = without_times("allow w 89 for=574\ndeny 48\nallow r 5e for=1");
        assert_eq!(rules, "allow w 89\ndeny 48\nallow r 5e");
        let timed: Vec<_> = timed.iter().map(|t| (t.rule, t.seconds_left)).collect();
        assert_eq!(timed, [(0, 574), (2, 1)]);
        assert_eq!(without_times(""), (String::new(), Vec::new()));
        assert_eq!(without_time("deny 48"), ("deny 48", None));
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
    fn nexuses() {
        let text =
            "nexus 6:0:0\nlu naa.6001\npr_exclusive 1\ndevice 6:0:0:0\nlater 5\ndevice 6:0:0:1\n";
        let nexus = parse_nexus(text);
        assert_eq!(
            (nexus.nexus.as_str(), nexus.lu.as_deref()),
            ("6:0:0", Some("naa.6001"))
        );
        assert_eq!(
            parse_owner("4711 /machine.slice/a b").as_deref(),
            Some("/machine.slice/a b")
        );
        assert_eq!(parse_owner(""), None);
        assert_eq!(nexus.devices, ["6:0:0:0", "6:0:0:1"]);
        let nexus = parse_nexus("nexus 6:0:0\nlu -\npr_exclusive 0\ndevice 6:0:0:0\n");
        assert_eq!((nexus.lu, nexus.owner), (None, None));
    }

    #[test]
    fn who_answers_report_luns() {
        assert_eq!(report_luns("own").unwrap(), ReportLuns::Own);
        assert_eq!(report_luns("passthrough").unwrap(), ReportLuns::Passthrough);
        assert!(report_luns("1").is_err());
    }

    #[test]
    fn a_switch_is_0_or_1() {
        assert!(flag("1").unwrap());
        assert!(!flag("0").unwrap());
        assert!(flag("2").is_err());
        assert!(flag("").is_err());
    }
}
