// SPDX-License-Identifier: GPL-2.0

//! `sgioctl profiles`.

use crate::{
    commands::explain::parse_class,
    context::Context,
    names,
    output::{self, printable},
    policyfile::{load_profiles, Profile},
};
use anyhow::{anyhow, Result};
use serde::Serialize;
use sgio_policy::policy::Class;
use std::process::ExitCode;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  sgioctl profiles                  what there is
  sgioctl profiles --class changer  what there is for changers
  sgioctl profiles disk-guest-pr    what it opens, and why")]
pub struct Args {
    /// Show this profile, with its rules.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// Only profiles for this class; and name commands as on this class.
    #[arg(long, value_parser = parse_class)]
    pub class: Option<Class>,
}

#[derive(Serialize)]
struct Answer {
    profiles: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    name: String,
    description: String,
    why: String,
    /// None: for every class.
    classes: Vec<&'static str>,
    /// Where it is defined.
    file: String,
    rules: Vec<ShownRule>,
}

#[derive(Serialize)]
struct ShownRule {
    rule: String,
    names: String,
}

/// Does it.
///
/// # Errors
///
/// What could not be done.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let profiles = load_profiles(&context.root)?;
    let mut answer = Answer {
        profiles: Vec::new(),
    };
    for (name, profile) in profiles.iter() {
        let wanted = args.name.as_deref().is_none_or(|wanted| wanted == name)
            && args.class.is_none_or(|class| profile.is_for(class));
        if wanted {
            answer.profiles.push(shown(name, profile, args.class)?);
        }
    }
    if answer.profiles.is_empty() {
        let known: Vec<&str> = profiles.iter().map(|(name, _)| name).collect();
        let known = known.join(", ");
        return match (&args.name, args.class) {
            (Some(name), None) => {
                let near = profiles.did_you_mean(name);
                Err(anyhow!(
                    "there is no profile '{name}'; {near}there are {known}"
                ))
            }
            (Some(name), Some(class)) => {
                let class = class.name();
                Err(anyhow!("there is no profile '{name}' for {class}"))
            }
            _ => Err(anyhow!("there is no profile for that class")),
        };
    }
    context.output.answer("profiles", &answer, || {
        let mut text = String::new();
        for profile in &answer.profiles {
            let classes = match profile.classes.as_slice() {
                [] => "all classes".to_owned(),
                classes => classes.join(", "),
            };
            if args.name.is_none() {
                let (name, what) = (printable(&profile.name), printable(&profile.description));
                text += &format!("{name} ({classes})\n    {what}\n");
                continue;
            }
            let (name, what) = (printable(&profile.name), printable(&profile.description));
            let file = printable(&profile.file);
            text += &format!("# {name}: {what}\n# For: {classes}. From: {file}\n");
            for line in wrap(&profile.why, 76) {
                text += &format!("# {}\n", printable(&line));
            }
            for ShownRule { rule, names } in &profile.rules {
                text += &match names.as_str() {
                    "" => format!("{rule}\n"),
                    names => format!("{rule:<40} # {names}\n"),
                };
            }
        }
        output::print(&text)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn shown(name: &str, profile: &Profile, class: Option<Class>) -> Result<Shown> {
    let class = class
        .or(profile.classes.first().copied())
        .unwrap_or(Class::DISK);
    let rules = profile
        .rules(class)
        .map_err(|e| anyhow!("profile {name}: {e}"))?;
    Ok(Shown {
        name: name.to_owned(),
        description: profile.description.clone(),
        why: profile.why.clone(),
        classes: profile.classes.iter().map(|class| class.name()).collect(),
        file: profile.place.file.clone(),
        rules: rules
            .iter()
            .map(|rule| ShownRule {
                rule: rule.to_string(),
                names: names::of_rule(rule, class),
            })
            .collect(),
    })
}

/// Breaks a text into lines of at most `width` characters, where words allow it.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
