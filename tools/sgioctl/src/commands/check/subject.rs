// SPDX-License-Identifier: GPL-2.0

//! What the words of the command line ask about.

use crate::{
    commands::explain::parse_class,
    context::Context,
    device::{self, Device, Hctl},
    hex, input, names,
    policyfile::{self, Maps},
    running,
    verdict::{Policy, Tables},
};
use anyhow::{bail, Context as _, Result};
use sgio_policy::policy::{Class, STOCK};
use std::path::{Path, PathBuf};

/// What the question is about, unless it is a device with what is in force there.
#[derive(clap::Args, Default, Debug)]
#[group(skip)]
pub(super) struct Args {
    /// Ask about a class instead of a device.
    #[arg(long, value_name = "CLASS", value_parser = parse_class)]
    class: Option<Class>,

    /// The built-in table of the class: strict or stock.
    #[arg(long, value_name = "TABLE", value_parser = ["strict", "stock"], requires = "class", conflicts_with = "kernel")]
    table: Option<String>,

    /// Rules of the class, as its file "rules" takes them, instead of the table.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["table", "kernel"])]
    class_rules: Option<PathBuf>,

    /// A policy file, or a directory of them, in the place of what is in force.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["table", "class_rules", "device_rules", "kernel"])]
    policy: Option<PathBuf>,

    /// Rules of the device, as its file "rules" takes them, instead of its own.
    #[arg(long, value_name = "FILE", conflicts_with = "kernel")]
    device_rules: Option<PathBuf>,
}

/// What the question is about, and the policy there.
pub(super) struct Subject {
    pub(super) device: Option<Hctl>,
    pub(super) policy: Policy,
}

/// The devices, or the class, and the words behind them.
pub(super) fn subjects<'a>(
    context: &Context,
    args: &Args,
    kernel: bool,
    words: &'a [String],
) -> Result<(Vec<Subject>, &'a [String])> {
    let read = |path: &PathBuf| input::text(path).with_context(|| path.display().to_string());
    let class_rules = args.class_rules.as_ref().map(read).transpose()?;
    let device_rules = args.device_rules.as_ref().map(read).transpose()?;
    let with_rules = |policy: Policy| match (&device_rules, &args.device_rules) {
        (Some(rules), Some(path)) => policy
            .with_device_rules(rules)
            .with_context(|| path.display().to_string()),
        _ => Ok(policy),
    };
    let of_class = |class: Class, rules: Option<&str>| {
        let what = args
            .class_rules
            .as_ref()
            .map(|path| path.display().to_string());
        Policy::of_class(class, rules).with_context(|| what.unwrap_or_else(|| class.name().into()))
    };

    if let Some(path) = &args.policy {
        return planned_subjects(context, args, path, words);
    }
    if let Some(class) = args.class {
        let rules = match (&class_rules, args.table.as_deref()) {
            (Some(rules), _) => Some(rules.clone()),
            (None, Some("stock")) => Some(STOCK.into()),
            (None, _) if kernel => running::class(&context.root, class)?.map(|c| c.rules),
            (None, _) => None,
        };
        let policy = with_rules(of_class(class, rules.as_deref())?)?;
        let subject = Subject {
            device: None,
            policy,
        };
        return Ok((vec![subject], words));
    }

    let (name, words) = words.split_first().context("no device")?;
    let mut subjects = Vec::new();
    for device in device::find(&context.root, name)? {
        let mut policy = Policy::running(&context.root, &device)?;
        if let Some(rules) = &class_rules {
            policy.class_rules = of_class(device.class, Some(rules))?.class_rules;
        }
        subjects.push(Subject {
            device: Some(device.hctl),
            policy: with_rules(policy)?,
        });
    }
    if subjects.is_empty() {
        bail!("{name}: no such device");
    }
    Ok((subjects, words))
}

/// Those of a policy file.
fn planned_subjects<'a>(
    context: &Context,
    args: &Args,
    path: &Path,
    words: &'a [String],
) -> Result<(Vec<Subject>, &'a [String])> {
    let root = &context.root;
    let policies = policyfile::load(root, &[path.to_owned()])?;
    if let Some(class) = args.class {
        let policy = policyfile::planned_class(&policies, class, &Tables::running(root, class)?)?;
        let device = None;
        return Ok((vec![Subject { device, policy }], words));
    }
    let (name, words) = words.split_first().context("no device")?;
    let all = device::scan(root)?;
    let chosen = device::find(root, name)?;
    let chosen: Vec<&Device> = chosen.iter().collect();
    let subjects = policies
        .resolve_some(&chosen, &Maps::of(&all))?
        .iter()
        .map(|state| {
            Ok(Subject {
                device: Some(state.device.hctl),
                policy: policyfile::planned(
                    &policies,
                    state,
                    &Tables::running(root, state.device.class)?,
                )?,
            })
        })
        .collect::<Result<_>>()?;
    Ok((subjects, words))
}

/// The CDBs that the words of a command line mean.
pub(super) fn cdbs(words: &[String], class: Class) -> Result<Vec<Vec<u8>>> {
    let cdb = |item: &String| match hex::read(item) {
        Some(_) => hex::one(item),
        None if item.starts_with("op:") => hex::one(item),
        None if item.starts_with(|c: char| c.is_ascii_digit()) => hex::cdb(item),
        None => names::cdb_of(item, class),
    };
    let cdbs: Result<Vec<Vec<u8>>> = hex::items(words)?.iter().map(cdb).collect();
    let cdbs = cdbs.map_err(|error| names::one_name(error, words, class))?;
    if cdbs.is_empty() {
        bail!("no CDB given");
    }
    Ok(cdbs)
}
