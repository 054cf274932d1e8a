// SPDX-License-Identifier: GPL-2.0

//! `sgioctl set`.

use crate::{
    context::Context,
    grant::{self, Plan},
    output, running,
};
use anyhow::{bail, Result};
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

Examples:
  sgioctl set sdb unpriv on         the switch unpriv_sgio of one disk
  sgioctl set mpatha unpriv off     of all paths of a multipath map
  sgioctl set 6:0:0:0 complain on   the same as 'sgioctl complain 6:0:0:0 on'
  sgioctl set sdb report-luns own
  sgioctl set sdb pr-exclusive reset")]
pub struct Args {
    /// H:C:T:L, node, link in /dev/disk/by-id, WWID or multipath map.
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
    };
    let on = args.value == Value::On;
    grant::switch(context, "set", &args.device, switch, on, args.dry_run)
}

fn report_luns(context: &Context, args: &Args, who: ReportLuns) -> Result<ExitCode> {
    let mut plan = Plan::new(args.dry_run);
    for target in grant::targets(context, &args.device)? {
        let before = target.running.report_luns;
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
    let mut plan = Plan::new(true);
    for target in grant::targets(context, &args.device)? {
        let hctl = target.device.hctl;
        if !target.running.pr_exclusive {
            bail!(
                "{}: pr-exclusive is off: there is no owner",
                target.device.full_name()
            );
        }
        let owner = running::nexus(&context.root, hctl)?.and_then(|nexus| nexus.owner);
        if !args.dry_run {
            running::let_go(&context.root, hctl)?;
        }
        let changes = owner.map(|owner| format!("{owner} does not own the I_T nexus any more"));
        plan.report_only(&target, changes.into_iter().collect());
    }
    let reported = plan.said(args.dry_run).report(context, "set");
    match args.dry_run {
        true => reported?,
        false => reported.map_err(output::unreported)?,
    }
    Ok(ExitCode::SUCCESS)
}
