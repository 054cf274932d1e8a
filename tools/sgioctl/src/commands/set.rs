// SPDX-License-Identifier: GPL-2.0

//! `sgioctl set`.

use crate::{
    change::{self, Plan},
    context::Context,
    output, running,
};
use anyhow::{bail, Result};
use serde::Serialize;
use sgio_policy::policy::ReportLuns;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
unpriv on lets everybody who can open the device, for reading only included, send everything:
firmware downloads and SANITIZE too. A rule ('sgioctl allow') is nearly always the better answer.

report-luns own has the filter answer REPORT LUNS, with this logical unit alone, so that who may open
it does not learn of the others. pr-exclusive on lets one cgroup at a time send PERSISTENT RESERVE OUT
over the device's I_T nexus, which several guests of one host share; 'reset' lets the owner go.
filter-sg on has the filter decide about /dev/sgN too when it is open for writing, which the kernel
does not ask about; 'all' in the place of a device means all of them, also those that come later.

Examples:
  sgioctl set sdb unpriv on         the switch unpriv_sgio of one disk
  sgioctl set mpatha unpriv off     of all paths of a multipath map
  sgioctl set 6:0:0:0 complain on   the same as 'sgioctl complain 6:0:0:0 on'
  sgioctl set sdb report-luns own
  sgioctl set sdb pr-exclusive reset
  sgioctl set sdb filter-sg on
  sgioctl set all filter-sg on      of all devices, now and later")]
pub struct Args {
    /// H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map; 'all' for filter-sg.
    #[arg(value_name = "DEV")]
    device: String,

    /// The setting.
    setting: Setting,

    /// What it is set to: on or off; own or passthrough for report-luns; reset for pr-exclusive.
    value: Value,

    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Setting {
    /// Everything is allowed to everybody who can open the device.
    #[value(alias = "unpriv_sgio")]
    Unpriv,
    /// What would be refused is let through and reported.
    Complain,
    /// Who answers REPORT LUNS.
    #[value(alias = "report_luns")]
    ReportLuns,
    /// One cgroup at a time may reserve.
    #[value(alias = "pr_exclusive")]
    PrExclusive,
    /// /dev/sgN is filtered however it is open.
    #[value(alias = "filter_sg")]
    FilterSg,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Value {
    /// 1.
    #[value(alias = "1", alias = "yes", alias = "true")]
    On,
    /// 0.
    #[value(alias = "0", alias = "no", alias = "false")]
    Off,
    /// The filter, with this logical unit alone.
    Own,
    /// The device.
    Passthrough,
    /// On, and the owner is let go.
    Reset,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let switch = match (args.setting, args.value) {
        (Setting::ReportLuns, Value::Own) => return report_luns(context, &args, ReportLuns::Own),
        (Setting::ReportLuns, Value::Passthrough) => {
            return report_luns(context, &args, ReportLuns::Passthrough)
        }
        (Setting::ReportLuns, _) => bail!("report-luns is own or passthrough"),
        (Setting::PrExclusive, Value::Reset) => return let_go(context, &args),
        (_, Value::Own | Value::Passthrough | Value::Reset) => {
            bail!("that setting is on or off")
        }
        (Setting::Unpriv, _) => "unpriv_sgio",
        (Setting::Complain, _) => "complain",
        (Setting::PrExclusive, _) => "pr_exclusive",
        (Setting::FilterSg, _) => "filter_sg",
    };
    let on = args.value == Value::On;
    if args.device == ALL {
        return all(context, &args, on);
    }
    change::switch(context, "set", &args.device, switch, on, args.dry_run)
}

/// What stands for all devices, now and later.
const ALL: &str = "all";

#[derive(Serialize)]
struct AllAnswer {
    filter_sg: bool,
    changed: bool,
    dry_run: bool,
}

/// The one setting that there is for all devices. No transaction has words for it.
fn all(context: &Context, args: &Args, on: bool) -> Result<ExitCode> {
    if args.setting != Setting::FilterSg {
        bail!("'{ALL}' is for filter-sg alone: name the devices");
    }
    let Some(before) = running::filter_sg(&context.root)? else {
        bail!("the module sgio_filter is not loaded, or has no filter_sg");
    };
    let changed = before != on;
    if changed && !args.dry_run {
        running::set_filter_sg(&context.root, on)?;
    }
    let answer = AllAnswer {
        filter_sg: on,
        changed,
        dry_run: args.dry_run,
    };
    let reported = context.output.answer("set", &answer, || {
        let (before, now) = (output::on_off(before), output::on_off(on));
        output::print(&match (changed, args.dry_run) {
            (false, _) => "all devices: nothing to change\n".to_owned(),
            (true, false) => format!("all devices: filter_sg {before} -> {now}\n"),
            (true, true) => format!(
                "all devices: filter_sg {before} -> {now}\n(dry run: nothing was changed)\n"
            ),
        })
    });
    output::reported(reported, !args.dry_run && changed)?;
    Ok(ExitCode::SUCCESS)
}

fn report_luns(context: &Context, args: &Args, who: ReportLuns) -> Result<ExitCode> {
    let mut plan = Plan::new(context, args.dry_run);
    for target in change::targets(context, &args.device)? {
        let before = target.running.settings.report_luns;
        let mut changes = Vec::new();
        if before != who {
            changes.push(format!("report_luns {} -> {}", before.name(), who.name()));
        }
        plan.add(&target, changes, &format!("report_luns {}\n", who.name()));
    }
    plan.carry_out(context, "set")
}

/// No transaction has words for it, as it changes no policy.
fn let_go(context: &Context, args: &Args) -> Result<ExitCode> {
    let mut plan = Plan::new(context, true);
    for target in change::targets(context, &args.device)? {
        let hctl = target.device.hctl;
        if !target.running.settings.pr_exclusive {
            bail!(
                "{}: pr-exclusive is off: there is no owner",
                target.device.full_name()
            );
        }
        let owner = running::nexus(&context.root, hctl)?.and_then(|nexus| nexus.owner);
        if !args.dry_run {
            running::let_go(&context.root, hctl, target.running.id)?;
        }
        let changes = owner.map(|owner| format!("{owner} does not own the I_T nexus any more"));
        plan.report_only(&target, changes.into_iter().collect());
    }
    let reported = plan.said(args.dry_run).report(context, "set");
    output::reported(reported, !args.dry_run)?;
    Ok(ExitCode::SUCCESS)
}
