// SPDX-License-Identifier: GPL-2.0

//! `sgioctl show`.

mod comment;
mod policy;

pub use self::policy::policy;

use self::comment::comment;
use crate::{
    change,
    context::Context,
    device::{self, Device},
    output::{self, on_off, printable},
    running::{self, Nexus, Running, Stats},
    settings::Settings,
    time,
};
use anyhow::Result;
use serde::Serialize;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Of a multipath map, all paths are shown. A policy names a device by its WWID if it has one, so that
all paths to it, and those that come later, are meant; by its initiator and target too where others
reach the WWID and no multipath map joins them.

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
    devices: Vec<ShownDevice>,
}

#[derive(Serialize)]
struct ShownDevice {
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
        return policy::show(context, devices);
    }
    let mut entries = Vec::new();
    for device in devices {
        let filter = match running::device(&context.root, device.hctl)? {
            Some(running) => Some(filter(context, &device, running)?),
            None => None,
        };
        entries.push(ShownDevice { device, filter });
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

fn text(context: &Context, entry: &ShownDevice) -> String {
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
    let ports = &device.ports;
    for (name, port) in [
        ("initiator", &ports.initiator),
        ("interface", &ports.interface),
        ("target", &ports.target),
    ] {
        rows.extend(port.iter().map(|port| (name, printable(port))));
    }
    rows.push(("nodes", device.nodes.join(" ")));
    for link in &device.by_id {
        rows.push(("by-id", printable(link)));
    }
    for link in &device.by_path {
        rows.push(("by-path", printable(link)));
    }
    if let Some(map) = &device.multipath {
        let (name, wwid) = (printable(&map.name), printable(&map.wwid));
        rows.push(("multipath", format!("{name} ({}, {wwid})", map.node)));
    }
    let mut rule_rows = Vec::new();
    match &entry.filter {
        None => rows.push(("filter", change::unknown(context, device))),
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
