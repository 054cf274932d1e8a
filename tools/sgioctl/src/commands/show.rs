// SPDX-License-Identifier: GPL-2.0

//! `sgioctl show`.

use crate::{
    context::Context,
    device::{self, Device, Hctl},
    grant::{self, rules},
    names,
    output::{self, on_off, printable},
    running::{self, Nexus, Running, Stats},
    settings::Settings,
    time,
};
use anyhow::{bail, Result};
use serde::Serialize;
use sgio_policy::policy::Class;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Of a multipath map, all paths are shown. A policy names a device by its WWID if it has one, so that
all paths to it, and those that come later, are meant.

Examples:
  sgioctl show sdb
  sgioctl show mpatha
  sgioctl show sdb --policy > /etc/sgio-filter/policy.d/sdb.toml")]
pub struct Args {
    /// H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map.
    #[arg(value_name = "DEV")]
    device: String,

    /// What is in force on it, as a policy for 'sgioctl apply'.
    #[arg(long)]
    policy: bool,
}

#[derive(Serialize)]
struct Answer {
    devices: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    device: Device,
    /// `null`: the module does not know the device.
    filter: Option<Filter>,
}

#[derive(Serialize)]
struct Filter {
    #[serde(flatten)]
    settings: Settings,
    /// Whether it is on for all devices.
    filter_sg_all: bool,
    /// How it is reached, and who shares that.
    nexus: Option<Nexus>,
    id: u64,
    stats: Stats,
    /// `strict`, `stock` or `custom`: the rules of its class.
    class_table: Option<String>,
    rules: Vec<RuleLine>,
}

#[derive(Serialize)]
struct RuleLine {
    rule: String,
    /// How often it decided since the rules were written; `null` where the kernel does not tell.
    hits: Option<u64>,
    /// How long it has still to go; `null`: it stays.
    seconds_left: Option<u64>,
    /// What it is about.
    comment: String,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let devices = device::find(&context.root, &args.device)?;
    if args.policy {
        return show_policy(context, devices);
    }
    let mut entries = Vec::new();
    for device in devices {
        let filter = match running::device(&context.root, device.hctl)? {
            Some(running) => Some(filter(context, &device, running)?),
            None => None,
        };
        entries.push(Entry { device, filter });
    }
    let answer = Answer { devices: entries };
    context.output.answer("show", &answer, || {
        let texts: Vec<String> = answer.devices.iter().map(|e| text(context, e)).collect();
        output::print(&texts.join("\n"))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn filter(context: &Context, device: &Device, running: Running) -> Result<Filter> {
    let hits = running::hits(&context.root, device.hctl)?;
    let lines = running
        .rules
        .lines()
        .enumerate()
        .map(|(at, rule)| RuleLine {
            rule: rule.to_owned(),
            // A change in between shows by another rule in its place.
            hits: hits
                .get(at)
                .filter(|(_, counted)| counted == rule)
                .map(|(count, _)| *count),
            seconds_left: running.seconds_left(at),
            comment: comment(rule, device.class),
        });
    Ok(Filter {
        settings: running.settings,
        filter_sg_all: running::filter_sg(&context.root)?.unwrap_or(false),
        nexus: running::nexus(&context.root, device.hctl)?,
        id: running.id,
        stats: running.stats,
        class_table: running::class(&context.root, device.class)?.map(|class| class.table),
        rules: lines.collect(),
    })
}

fn comment(rule: &str, class: Class) -> String {
    match rules::parse(rule).as_deref() {
        Ok([rule]) => names::of_rule(rule, class),
        _ => String::new(),
    }
}

fn text(context: &Context, entry: &Entry) -> String {
    let device = &entry.device;
    let mut rows: Vec<(&str, String)> = Vec::new();
    let class = device.class.name();
    rows.push((
        "class",
        match entry.filter.as_ref().and_then(|f| f.class_table.as_ref()) {
            Some(table) => format!("{class} (rules of the class: {table})"),
            None => class.to_owned(),
        },
    ));
    let product = [&device.vendor, &device.model, &device.revision];
    rows.push(("product", product.map(|part| printable(part)).join(" ")));
    if let Some(wwid) = &device.wwid {
        rows.push(("wwid", printable(wwid)));
    }
    if !device.unknown.is_empty() {
        rows.push((
            "unknown",
            format!("{} (could not be read)", device.unknown.join(", ")),
        ));
    }
    if let Some(serial) = &device.serial {
        rows.push(("serial", printable(serial)));
    }
    rows.push(("transport", printable(&device.transport)));
    rows.push(("nodes", device.nodes.join(" ")));
    for link in &device.by_id {
        rows.push(("by-id", printable(link)));
    }
    if let Some(map) = &device.multipath {
        let (name, wwid) = (printable(&map.name), printable(&map.wwid));
        rows.push(("multipath", format!("{name} ({}, {wwid})", map.node)));
    }
    let mut rule_rows = Vec::new();
    match &entry.filter {
        None => rows.push(("filter", grant::unknown(context, device))),
        Some(filter) => {
            let settings = &filter.settings;
            rows.push(("unpriv", on_off(settings.unpriv_sgio).to_owned()));
            rows.push(("complain", on_off(settings.complain).to_owned()));
            rows.push(("report-luns", settings.report_luns.name().to_owned()));
            rows.push(("pr-exclusive", on_off(settings.pr_exclusive).to_owned()));
            rows.push((
                "filter-sg",
                match (filter.filter_sg_all, settings.filter_sg) {
                    (true, _) => "on, for all devices".to_owned(),
                    (false, on) => on_off(on).to_owned(),
                },
            ));
            rows.extend(filter.nexus.iter().flat_map(nexus_rows));
            let stats = &filter.stats;
            rows.push((
                "answers",
                format!(
                    "{} allowed, {} privileged, {} complained, {} refused, {} emulated",
                    stats.allowed,
                    stats.privileged,
                    stats.complained,
                    stats.refused,
                    stats.emulated
                ),
            ));
            if filter.rules.is_empty() {
                rows.push(("rules", "none of its own".to_owned()));
            } else {
                rows.push(("rules", "(with how often each decided)".to_owned()));
            }
            for line in &filter.rules {
                let hits = line.hits.map_or("-".to_owned(), |hits| hits.to_string());
                let ends = line
                    .seconds_left
                    .map(|left| format!("ends in {}", time::words(left)));
                let comment = Some(line.comment.clone()).filter(|comment| !comment.is_empty());
                let comment: Vec<String> = ends.into_iter().chain(comment).collect();
                let comment = match comment.join("; ") {
                    comment if comment.is_empty() => comment,
                    comment => format!("# {comment}"),
                };
                rule_rows.push(vec![format!("    {hits:>8}"), line.rule.clone(), comment]);
            }
        }
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(name, value)| vec![format!("  {name}"), value])
        .collect();
    format!(
        "{}\n{}{}",
        printable(&device.full_name()),
        output::columns(&rows),
        output::columns(&rule_rows)
    )
}

fn nexus_rows(nexus: &Nexus) -> Vec<(&'static str, String)> {
    let lu = match nexus.lu.as_deref() {
        Some(lu) => format!(" to {lu}"),
        None => ", to a logical unit without a WWID".to_owned(),
    };
    let mut rows = vec![("I_T nexus", printable(&format!("{}{lu}", nexus.nexus)))];
    if let Some(owner) = &nexus.owner {
        rows.push(("owner", printable(owner)));
    }
    if nexus.devices.len() > 1 {
        rows.push(("the same", printable(&nexus.devices.join(" "))));
    }
    rows
}

#[derive(Serialize)]
struct Policy {
    /// TOML.
    policy: String,
}

/// How a policy names a device.
#[derive(Clone, PartialEq, Eq)]
enum Selector {
    Wwid(String),
    /// With what is to be said of it.
    Address(Hctl, &'static str),
}

/// The WWID of a device, if a file can name it by that. The device has chosen it: what sysfs cannot give
/// without loss, and what an editor may change, is no name.
fn safe_wwid(device: &Device) -> Option<&str> {
    let wwid = device.wwid.as_deref()?;
    let plain = wwid.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (plain && wwid.len() <= 255).then_some(wwid)
}

fn show_policy(context: &Context, devices: Vec<Device>) -> Result<ExitCode> {
    let mut found = Vec::new();
    for device in devices {
        let Some(running) = running::device(&context.root, device.hctl)? else {
            bail!("{}", grant::unknown(context, &device));
        };
        found.push((device, running));
    }
    let answer = Policy {
        policy: policy(&found),
    };
    context
        .output
        .answer("show", &answer, || output::print(&answer.policy))?;
    Ok(ExitCode::SUCCESS)
}

/// The policy of the devices: one entry for those of one WWID, unless they differ.
///
/// It means these devices and no other, whatever they say of themselves.
pub fn policy(found: &[(Device, Running)]) -> String {
    let same = |a: &Running, b: &Running| {
        // In which second two rules end is no difference.
        let ending = |of: &Running| of.timed.iter().map(|t| t.rule).collect::<Vec<_>>();
        a.settings == b.settings && a.rules == b.rules && ending(a) == ending(b)
    };
    let mut done: Vec<Selector> = Vec::new();
    let mut text = String::new();
    for (device, running) in found {
        let agree = |wwid: &String| {
            found
                .iter()
                .filter(|(other, _)| other.wwid.as_ref() == Some(wwid))
                .all(|(_, other)| same(running, other))
        };
        let selector = match (safe_wwid(device), &device.wwid) {
            (Some(_), Some(wwid)) if agree(wwid) => Selector::Wwid(wwid.clone()),
            (Some(_), _) => Selector::Address(device.hctl, "the paths to its WWID differ"),
            (None, Some(_)) => Selector::Address(device.hctl, "its WWID is no plain text"),
            (None, None) if device.unknown.contains(&"wwid") => {
                Selector::Address(device.hctl, "its WWID could not be read")
            }
            (None, None) => Selector::Address(device.hctl, "it reports no WWID"),
        };
        if done.contains(&selector) {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&entry(device, running, &selector));
        done.push(selector);
    }
    text
}

/// A text as a basic string of TOML, on one line whatever is in it.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .flat_map(|c| {
            let escape = matches!(c, '"' | '\\').then_some('\\');
            escape.into_iter().chain(Some(c))
        })
        .collect();
    format!("\"{escaped}\"")
}

fn entry(device: &Device, running: &Running, selector: &Selector) -> String {
    let selector = match selector {
        Selector::Wwid(wwid) => {
            format!("match = {{ wwid = {}, exact = true }}", quoted(wwid))
        }
        Selector::Address(hctl, why) => format!(
            "# By its address, since {why}: at the next boot it may be that of another device.\n\
             match = {{ hctl = \"{hctl}\" }}"
        ),
    };
    let settings = &running.settings;
    let mut rules = String::new();
    let mut ending = String::new();
    for (number, rule) in running.rules.lines().enumerate() {
        if running.seconds_left(number).is_some() {
            ending += &format!("# Not here, since it ends by itself: {rule}\n");
            continue;
        }
        rules.push_str(rule);
        match comment(rule, device.class).as_str() {
            "" => (),
            comment => rules.push_str(&format!("    # {comment}")),
        }
        rules.push('\n');
    }
    let rules = match rules.as_str() {
        "" => "\"\"".to_owned(),
        rules => format!("\"\"\"\n{rules}\"\"\""),
    };
    format!(
        "# {}: {} {}\n{ending}[[device]]\n{selector}\nunpriv_sgio = {}\ncomplain = {}\n\
         report_luns = \"{}\"\npr_exclusive = {}\nfilter_sg = {}\nrules = {rules}\n",
        printable(&device.full_name()),
        printable(&device.vendor),
        printable(&device.model),
        settings.unpriv_sgio,
        settings.complain,
        settings.report_luns.name(),
        settings.pr_exclusive,
        settings.filter_sg,
    )
}
