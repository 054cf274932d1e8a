// SPDX-License-Identifier: GPL-2.0

//! What `--grant DEV=WHAT` says.

use crate::{
    change::{self, Target},
    context::Context,
    hex, names,
    policyfile::{load_profiles, Profiles},
};
use anyhow::{anyhow, ensure, Context as _, Result};
use sgio_policy::policy::{Access, Action, Class, Rule};

/// What is granted on the devices of one name.
pub(super) struct Wanted {
    /// The devices, as they were when they were looked at, and the rules for each, the foremost first.
    pub(super) rules: Vec<(Target, Vec<Rule>)>,
}

impl Wanted {
    /// What all of them say.
    ///
    /// # Errors
    ///
    /// What is wrong with one; a device that two of them name.
    pub(super) fn all(context: &Context, grants: &[String]) -> Result<Vec<Wanted>> {
        let profiles = load_profiles(&context.root)?;
        let mut all: Vec<Wanted> = Vec::new();
        for grant in grants {
            let wanted = Wanted::read(context, &profiles, grant)?;
            for (target, _) in &wanted.rules {
                let hctl = target.device.hctl;
                let mut others = all.iter().flat_map(|other| &other.rules);
                ensure!(
                    others.all(|(other, _)| other.device.hctl != hctl),
                    "--grant {grant}: {hctl} is in another --grant; say all for it in one, with commas"
                );
            }
            all.push(wanted);
        }
        Ok(all)
    }

    fn read(context: &Context, profiles: &Profiles, grant: &str) -> Result<Wanted> {
        let (name, what) = grant
            .split_once('=')
            .filter(|(name, what)| !name.is_empty() && !what.is_empty())
            .with_context(|| {
                format!("--grant {grant}: it is DEV=PROFILE or DEV=COMMAND,COMMAND")
            })?;
        let mut wanted = Wanted { rules: Vec::new() };
        for target in change::targets(context, name)? {
            let class = target.device.class;
            let mut rules = Vec::new();
            for word in what.split(',') {
                rules.extend(
                    rules_of(profiles, word, class).with_context(|| format!("--grant {grant}"))?,
                );
            }
            wanted.rules.push((target, rules));
        }
        Ok(wanted)
    }

    /// Whether one of the rules is for files that are open for writing.
    pub(super) fn needs_writing(&self) -> bool {
        let rules = self.rules.iter().flat_map(|(_, rules)| rules);
        rules
            .into_iter()
            .any(|rule| rule.action() == Action::Allow(Access::Write))
    }
}

/// The rules of a profile, or of a command.
fn rules_of(profiles: &Profiles, word: &str, class: Class) -> Result<Vec<Rule>> {
    if profiles.get(word).is_some() || profiles.after_split(word).is_some() {
        return profiles
            .rules_for(word, class)
            .map_err(|message| anyhow!("{message}"));
    }
    let mut rules = Vec::new();
    for command in &hex::items(&[word.to_owned()])? {
        rules.extend(names::by_default(command, class).map_err(|error| {
            match profiles.did_you_mean(word) {
                hint if hint.is_empty() => error,
                hint => error.context(format!("there is no profile {word}; {hint}")),
            }
        })?);
    }
    Ok(rules)
}
