// SPDX-License-Identifier: GPL-2.0

//! `sgioctl diff`.

use crate::{
    context::Context,
    device::{self, Device, Hctl},
    holders::Finder,
    output::{self, printable},
    parallel,
    policyfile::{
        compare, load, planned_class, ClassContent, Maps, Policies, Present, Resolved, Wanted,
    },
    root::Root,
    running::{self, Running, OF_POLICY},
    verdict::{Policy, Tables},
};
use anyhow::{bail, Context as _, Result};
use serde::{Serialize, Serializer};
use sgio_policy::policy::Class;
use std::{
    collections::{hash_map::Entry, HashMap},
    path::PathBuf,
    process::ExitCode,
    rc::Rc,
};

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Exit status: 0 if the policy would change no verdict, 1 if it would, 2 on errors.

Examples:
  sgioctl diff                         all of /etc/sgio-filter/policy.d
  sgioctl diff --device mpatha         the same, for one disk
  sgioctl diff new.toml sdc mpatha")]
pub struct Args {
    /// A file, or a directory of *.toml files; - is standard input [default: /etc/sgio-filter/policy.d].
    #[arg(value_name = "FILE|DIR")]
    pub path: Option<PathBuf>,

    /// Only these devices.
    #[arg(value_name = "DEVICE")]
    pub devices: Vec<String>,

    /// Only this device (repeatable).
    #[arg(long = "device", value_name = "DEVICE")]
    pub device: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    differs: bool,
    /// `filter_sg` of all devices.
    filter_sg: Option<Switch>,
    /// Classes whose rules change, whether there is a device of them or not.
    classes: Vec<ClassDiff>,
    devices: Vec<DeviceDiff>,
}

#[derive(Serialize)]
struct ClassDiff {
    class: &'static str,
    /// Where the block stands that gives it other rules; none: it gets back those that it started with.
    block: Option<String>,
    changes: Changes,
}

#[derive(Serialize)]
struct DeviceDiff {
    device: Hctl,
    class: &'static str,
    /// Where the block that decides stands; none: the defaults.
    block: Option<String>,
    unpriv_sgio: Option<Switch>,
    complain: Option<Switch>,
    report_luns: Option<Words>,
    pr_exclusive: Option<Switch>,
    filter_sg: Option<Switch>,
    changes: Changes,
    /// What `apply` would do to the grants of policy files: `grant` and `revoke`, with the holder and the rules.
    grants: Vec<GrantDiff>,
}

#[derive(Serialize)]
struct GrantDiff {
    /// `grant` or `revoke`.
    action: &'static str,
    /// The path of the cgroup.
    holder: String,
    /// The rules that the holder is to have, or loses.
    rules: Vec<String>,
}

/// Which verdicts change, and the lines that say so: made once for all devices that they are the same for, which may be
/// thousands.
#[derive(Clone)]
struct Changes {
    all: Rc<[compare::Change]>,
    text: Rc<str>,
}

impl Changes {
    fn new(all: Vec<compare::Change>) -> Changes {
        let line = |change: &compare::Change| {
            let names = match change.names.as_str() {
                "" => String::new(),
                names => format!("  # {names}"),
            };
            let (commands, before, after) = (&change.commands, change.before, change.after);
            format!("    {commands}: {before} -> {after}{names}\n")
        };
        let text: String = all.iter().map(line).collect();
        Changes {
            all: all.into(),
            text: text.into(),
        }
    }
}

impl Serialize for Changes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.all.iter())
    }
}

#[derive(Serialize)]
struct Switch {
    before: bool,
    after: bool,
}

#[derive(Serialize)]
struct Words {
    before: &'static str,
    after: &'static str,
}

impl DeviceDiff {
    fn switches(&self) -> [(&'static str, &Option<Switch>); 4] {
        [
            ("unpriv_sgio", &self.unpriv_sgio),
            ("complain", &self.complain),
            ("pr_exclusive", &self.pr_exclusive),
            ("filter_sg", &self.filter_sg),
        ]
    }

    fn differs(&self) -> bool {
        self.switches()
            .into_iter()
            .any(|(_, switch)| switch.is_some())
            || self.report_luns.is_some()
            || !self.changes.all.is_empty()
            || !self.grants.is_empty()
    }
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let root = &context.root;
    let policies = load(root, args.path.as_slice())?;
    for warning in &policies.warnings {
        output::note(&warning.to_string());
    }
    let all = device::scan(root)?;
    let mut chosen: Vec<&Device> = all.iter().collect();
    let names: Vec<&String> = args.devices.iter().chain(&args.device).collect();
    if !names.is_empty() {
        let mut wanted = Vec::new();
        for name in &names {
            wanted.extend(device::find(root, name)?.into_iter().map(|d| d.hctl));
        }
        chosen.retain(|device| wanted.contains(&device.hctl));
    }
    let mut answer = Answer {
        differs: false,
        filter_sg: None,
        classes: Vec::new(),
        devices: Vec::new(),
    };
    if names.is_empty() {
        answer.classes = classes(root, &policies)?;
        answer.differs = !answer.classes.is_empty();
    }
    if let (true, Some(wanted)) = (names.is_empty(), &policies.filter_sg) {
        let before = running::filter_sg(root)?.unwrap_or(false);
        answer.filter_sg = switch(before, wanted.value);
        answer.differs |= answer.filter_sg.is_some();
    }
    let mut seen = Seen::default();
    let (resolved, misfits) = policies.resolve_apart(&chosen, &Maps::of(&all))?;
    for misfit in &misfits {
        output::note(&format!(
            "note: {misfit}; only what the block denies is compared"
        ));
    }
    let maps = Maps::of(&all);
    let present = Finder::new(root).present(&policies)?;
    let running = parallel::map(&resolved, |state| running::device(root, state.device.hctl));
    for (state, running) in resolved.iter().zip(running) {
        let diff = running
            .and_then(|running| seen.difference(root, &policies, state, running))
            .with_context(|| format!("what is in force on {}", state.device.hctl))?;
        let Some(diff) = diff else {
            let name = printable(&state.device.full_name());
            output::note(&format!("note: {name} has no filter, and is not compared"));
            continue;
        };
        let mut diff = diff;
        diff.grants = grants(root, &policies, state.device, &maps, &present)?;
        answer.differs |= diff.differs();
        answer.devices.push(diff);
    }
    context.output.answer("diff", &answer, || {
        let mut text = String::new();
        if let Some(Switch { before, after }) = answer.filter_sg {
            let (before, after) = (u8::from(before), u8::from(after));
            text += &format!("all devices\n    filter_sg: {before} -> {after}\n");
        }
        for diff in &answer.classes {
            let block = diff.block.as_deref();
            let block = block.unwrap_or("no block, the table that the module was loaded with");
            text += &format!(
                "class {}: {}\n{}",
                diff.class,
                printable(block),
                diff.changes.text
            );
        }
        for diff in answer.devices.iter().filter(|diff| diff.differs()) {
            let of_class = || {
                let class = policies
                    .classes
                    .iter()
                    .find(|block| block.class.name() == diff.class);
                class.map(|block| format!("no block, its class by {}", block.place))
            };
            let block = diff.block.clone().or_else(of_class);
            let block = printable(block.as_deref().unwrap_or("no block, the defaults"));
            text += &format!("{} ({}): {block}\n", diff.device, diff.class);
            for (name, switch) in diff.switches() {
                if let Some(Switch { before, after }) = switch {
                    let (before, after) = (u8::from(*before), u8::from(*after));
                    text += &format!("    {name}: {before} -> {after}\n");
                }
            }
            if let Some(Words { before, after }) = diff.report_luns {
                text += &format!("    report_luns: {before} -> {after}\n");
            }
            text += &diff.changes.text;
            for grant in &diff.grants {
                let (action, holder) = (grant.action, printable(&grant.holder));
                text += &format!("    {action} {holder}: {}\n", grant.rules.join("; "));
            }
        }
        output::print(&text)
    })?;
    Ok(ExitCode::from(u8::from(answer.differs)))
}

/// The classes that get other rules.
fn classes(root: &Root, policies: &Policies) -> Result<Vec<ClassDiff>> {
    let mut found = Vec::new();
    for class in Class::ALL {
        let Some(running) = running::class(root, class)? else {
            continue;
        };
        let block = policies.classes.iter().find(|block| block.class == class);
        let tables = Tables::running(root, class)?;
        let table = match block.map(|block| &block.content) {
            Some(ClassContent::Table(table)) => table.as_str(),
            Some(ClassContent::Rules(_)) => "",
            None if tables.strict => "strict",
            None => "stock",
        };
        if running.table == table {
            continue;
        }
        let now = Policy::running_class(root, class)?;
        let then = planned_class(policies, class, &tables)?;
        let changes = compare::changes(&now, &then, class);
        if !changes.is_empty() {
            found.push(ClassDiff {
                class: class.name(),
                block: block.map(|block| block.place.to_string()),
                changes: Changes::new(changes),
            });
        }
    }
    Ok(found)
}

/// What was compared before: of many devices, most have one of a few policies.
#[derive(Default)]
struct Seen {
    classes: HashMap<u8, (Policy, Policy)>,
    changes: HashMap<(u8, [bool; 2], String, String), Changes>,
}

impl Seen {
    fn difference(
        &mut self,
        root: &Root,
        policies: &Policies,
        state: &Resolved<'_>,
        running: Option<Running>,
    ) -> Result<Option<DeviceDiff>> {
        let device = state.device;
        let code = device.class.type_code();
        let Some(before) = running else {
            if !running::is_loaded(root) {
                bail!("the module sgio_filter is not loaded");
            }
            return Ok(None);
        };
        let (now, then) = match self.classes.entry(code) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert((
                Policy::running_class(root, device.class)?,
                planned_class(
                    policies,
                    device.class,
                    &Tables::running(root, device.class)?,
                )?,
            )),
        };
        let rules = state.rules();
        let switches = [before.settings.unpriv_sgio, state.settings.unpriv_sgio];
        let key = (code, switches, before.rules.clone(), rules.to_owned());
        let changes = match self.changes.get(&key) {
            Some(changes) => changes.clone(),
            None => {
                let with = |class: &Policy, rules: &str, unpriv| -> Result<Policy> {
                    let mut policy = class.clone().with_device_rules(rules)?;
                    policy.unpriv_sgio = unpriv;
                    Ok(policy)
                };
                let now = with(now, before.rules.trim_end(), before.settings.unpriv_sgio)?;
                let then = with(then, rules, state.settings.unpriv_sgio)?;
                let changes = compare::changes(&now, &then, device.class);
                let changes = Changes::new(changes);
                self.changes.insert(key, changes.clone());
                changes
            }
        };
        Ok(Some(difference(policies, state, &before, changes)))
    }
}

/// What `apply` would do to the grants of policy files on a device.
fn grants(
    root: &Root,
    policies: &Policies,
    device: &Device,
    maps: &Maps,
    present: &Present,
) -> Result<Vec<GrantDiff>> {
    let (wanted, misfits) = policies.grants_on(device, maps, present);
    for misfit in &misfits {
        output::note(&format!("note: {misfit}; it gives nothing there"));
    }
    let running = running::grants(root, device.hctl)?.unwrap_or_default();
    let running = running.iter().filter(|grant| grant.name == OF_POLICY);
    let running: Vec<_> = running.map(|grant| (grant, grant.lines())).collect();
    let is_new = |one: &&Wanted<'_>| {
        let same = |(grant, rules): &(&running::Grant, String)| {
            grant.cgroup == one.holder.id && *rules == one.rules
        };
        !running.iter().any(same)
    };
    let lines = |rules: &str| rules.lines().map(str::to_owned).collect();
    let new = wanted.iter().filter(is_new).map(|one| GrantDiff {
        action: "grant",
        holder: one.holder.path.clone(),
        rules: lines(&one.rules),
    });
    let goes = |(grant, _): &&(&running::Grant, String)| {
        wanted.iter().all(|one| one.holder.id != grant.cgroup)
    };
    let gone = running.iter().filter(goes).map(|(grant, rules)| GrantDiff {
        action: "revoke",
        holder: grant.path.clone(),
        rules: lines(rules),
    });
    Ok(new.chain(gone).collect())
}

fn switch(before: bool, after: bool) -> Option<Switch> {
    (before != after).then_some(Switch { before, after })
}

fn difference(
    policies: &Policies,
    state: &Resolved<'_>,
    before: &Running,
    changes: Changes,
) -> DeviceDiff {
    let (now, then) = (&before.settings, &state.settings);
    let block = state.block.and_then(|number| policies.blocks.get(number));
    DeviceDiff {
        device: state.device.hctl,
        class: state.device.class.name(),
        block: block.map(|block| block.place.to_string()),
        unpriv_sgio: switch(now.unpriv_sgio, then.unpriv_sgio),
        complain: switch(now.complain, then.complain),
        report_luns: (now.report_luns != then.report_luns).then(|| Words {
            before: now.report_luns.name(),
            after: then.report_luns.name(),
        }),
        pr_exclusive: switch(now.pr_exclusive, then.pr_exclusive),
        filter_sg: switch(now.filter_sg, then.filter_sg),
        changes,
        grants: Vec::new(),
    }
}
