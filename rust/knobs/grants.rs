// SPDX-License-Identifier: GPL-2.0

//! Grants: how transactions change them, and the file that shows them.

use super::write_escaped;
use crate::{
    kernel::{
        cgroup::{
            self,
            Cgroup, //
        },
        ratelimit::RateLimit,
        sysfs::Page, //
    },
    policy::{
        GrantChange,
        ListedRule, //
    },
    state::{
        filter::Rules,
        grants::{
            Grant,
            GrantVec,
            Grants, //
        },
        rules::{
            now,
            CompiledRules, //
        },
    },
};
use kernel::{
    fmt::{
        self,
        Write as _, //
    },
    prelude::*,
    sync::Arc, //
};

/// The grants that `changes` make of `old`, without what has ended. To be called with `State::writers` held.
///
/// # Errors
///
/// `ENOENT` if a holder is not there, `EINVAL` if it is the root, `EOPNOTSUPP` if there are no cgroups of version 2,
/// `ENOSPC` and `ENOMEM`.
pub(super) fn apply<'a>(
    limit: &RateLimit,
    whose: &dyn fmt::Display,
    changes: impl Iterator<Item = GrantChange<'a>>,
    old: Option<&Grants>,
) -> Result<Option<Arc<Grants>>> {
    let now = now();
    let mut grants = GrantVec::living(old, now)?;
    for change in changes {
        match change {
            GrantChange::Grant {
                cgroup,
                name,
                lifetime,
                rules,
            } => {
                check_holder(cgroup)?;
                let mut copy = KVec::with_capacity(name.len(), GFP_KERNEL)?;
                copy.extend_from_slice(name, GFP_KERNEL)?;
                let deadline = lifetime.map(|lifetime| now.after(lifetime));
                let rules = super::apply(limit, whose, &rules, &Rules::none())?;
                let rules = CompiledRules::compile(rules)?;
                grants.put(Grant::new(cgroup, copy, now, deadline, rules)?)?;
            }
            GrantChange::Revoke { cgroup, name } => grants.revoke(cgroup, name),
            GrantChange::RevokeAll => grants.revoke_all(),
        }
    }
    grants.finish()
}

/// Those of `old` that have not ended. To be called with `State::writers` held.
///
/// # Errors
///
/// `ENOMEM`.
pub(super) fn living(old: Option<&Arc<Grants>>) -> Result<Option<Arc<Grants>>> {
    match old {
        None => Ok(None),
        Some(old) => GrantVec::living(Some(old), now())?.finish(),
    }
}

/// Whether a cgroup can hold a grant.
///
/// # Errors
///
/// As [`apply`].
fn check_holder(id: u64) -> Result {
    if !cgroup::any_but_root() {
        return Err(EOPNOTSUPP);
    }
    let holder = Cgroup::from_id(id).ok_or(ENOENT)?;
    if holder.is_root() {
        return Err(EINVAL);
    }
    if holder.is_gone() {
        return Err(ENOENT);
    }
    Ok(())
}

/// Prints the grants that apply: holder, name, the seconds that are left if it ends by itself, when it was made, and the
/// holder's path as the reader sees it; then each of its rules with how often it decided.
pub(super) fn show(rules: &Rules, page: &mut Page<'_>) -> Result {
    let Some(filter) = rules.get() else {
        return Ok(());
    };
    let now = now();
    let grants = filter.grants().into_iter().flat_map(|grants| grants.iter());
    for grant in grants.filter(|grant| grant.applies(|| now)) {
        let holder = Cgroup::from_id(grant.holder).filter(|holder| !holder.is_gone());
        if holder.is_none() && Cgroup::is_surely_gone(grant.holder) {
            continue;
        }
        write!(page, "grant cgroup={}", grant.holder)?;
        if !grant.name.is_empty() {
            write!(page, " name=")?;
            write_escaped(page, &grant.name)?;
        }
        if let Some(left) = grant.seconds_left(now) {
            write!(page, " for={left}")?;
        }
        write!(
            page,
            " since={} path=",
            grant.since.as_nanos() / 1_000_000_000
        )?;
        match holder {
            Some(holder) => write_escaped(page, &holder.path()?)?,
            None => write!(page, "?")?,
        }
        writeln!(page)?;
        let rules = grant.rules().view().rules();
        let listed = |listed: &ListedRule| listed.at(now);
        for (number, rule) in rules.iter().map(listed).enumerate() {
            if let Some(rule) = rule {
                writeln!(page, "{:>20} {rule}", grant.rules().hits(number))?;
            }
        }
        if page.is_full() {
            break;
        }
    }
    Ok(())
}
