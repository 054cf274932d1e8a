// SPDX-License-Identifier: GPL-2.0

//! Changes to several devices and classes, made as a whole or not at all.
//!
//! First everything is prepared: parsed, looked up, compiled, with all the memory that it takes.
//! Then it is published, which cannot fail, inside of [`State::changing`], so that no decision is
//! made on a part of it. (`filter_sg` is read outside of that: see the ABI.) What was replaced is freed after the
//! readers, all at once.

use super::{
    apply,
    class::compile_custom,
    device::{
        compile_own, //
        prepare_exclusive,
        prepare_filter_sg,
    },
    grants,
    log_mistake,
    sweep, //
};
use crate::{
    hook::entry_points::EntryPoints,
    kernel::sync::rcu::RetiredSet,
    policy::{
        Change,
        ChangeKind,
        Class,
        ReportLuns,
        Section,
        Table,
        Target,
        Transaction,
        MAX_RULES, //
    },
    state::device::{
        DeviceState,
        Mode, //
    },
    state::filter::CompiledFilter,
    state::State, //
};
use kernel::{
    current,
    fmt,
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc, //
    }, //
};

/// What one section does.
enum Prepared {
    Device {
        device: Arc<DeviceState>,
        unpriv_sgio: Option<bool>,
        complain: Option<bool>,
        report_luns: Option<ReportLuns>,
        pr_exclusive: Option<bool>,
        filter_sg: Option<bool>,
        /// `Some(None)`: none of its own any more.
        rules: Option<Option<Arc<CompiledFilter>>>,
    },
    Class {
        class: Class,
        rules: Arc<CompiledFilter>,
        table: Option<Table>,
    },
}

/// Makes all changes of a text.
///
/// # Errors
///
/// As the ABI describes them. No setting and no rule has changed then; entry points that were armed stay armed.
pub(super) fn make(state: &State, text: &[u8]) -> Result {
    let transaction = Transaction::parse(text).map_err(|e| {
        mistake(state, &"transaction", &e);
        EINVAL
    })?;
    let sections = transaction.sections().count();
    // Before the lock, since looking for a device takes locks of the SCSI layer and may drop what
    // only it still holds.
    let mut devices = KVVec::with_capacity(sections, GFP_KERNEL)?;
    for section in transaction.sections() {
        devices.push(find_for(state, &section)?, GFP_KERNEL)?;
    }

    let writers = state.writers.lock();
    let number = state.transactions.load(Relaxed) + 1;
    state.transactions.store(number, Relaxed);
    let mut prepared = KVVec::with_capacity(sections, GFP_KERNEL)?;
    let mut classes = 0u32;
    for (section, device) in transaction.sections().zip(devices) {
        // Many large edits take long.
        if current!().signal_pending() {
            return Err(EINTR);
        }
        let change = prepare(state, &section, device)?;
        let again = match &change {
            Prepared::Device { device, .. } => device.transaction.xchg(number, Relaxed) == number,
            Prepared::Class { class, .. } => {
                let bit = 1 << (class.type_code() % 32);
                let again = classes & bit != 0;
                classes |= bit;
                again
            }
        };
        if again {
            mistake(state, &Whose(section.line), &"it comes twice");
            return Err(EINVAL);
        }
        prepared.push(change, GFP_KERNEL)?;
    }

    let mut retired = RetiredSet::with_capacity(sections)?;
    state.changing.write(|| {
        for change in &mut prepared {
            publish(state, change, &mut retired);
        }
    });
    // Others may write while this one waits for the readers.
    drop(writers);
    drop(retired);
    Ok(())
}

/// The device that a section is about, if it is about one.
///
/// # Errors
///
/// `ENODEV`, `ESTALE`.
fn find_for(state: &State, section: &Section<'_>) -> Result<Option<Arc<DeviceState>>> {
    let Target::Device(address, id) = section.target else {
        return Ok(None);
    };
    let device = state.device_at(address).ok_or_else(|| {
        mistake(state, &Whose(section.line), &"there is no such device");
        ENODEV
    })?;
    if id.is_some_and(|id| id != device.id) {
        mistake(state, &Whose(section.line), &"another device is there now");
        return Err(ESTALE);
    }
    Ok(Some(device))
}

fn prepare(
    state: &State,
    section: &Section<'_>,
    device: Option<Arc<DeviceState>>,
) -> Result<Prepared> {
    // Lines of an error in the rules count from there.
    let whose = Whose(section.rules_line);
    // Each line of an edit moves the whole list.
    let edits = |change: &Change<'_>| change.kind() == ChangeKind::Edit;
    if let Some(change) = section.rules.filter(edits) {
        if change.rules().count() > MAX_RULES {
            mistake(state, &whose, &"too many lines that edit");
            return Err(ENOSPC);
        }
    }
    match section.target {
        Target::Device(..) => {
            let device = device.ok_or(ENODEV)?;
            prepare_exclusive(section.pr_exclusive == Some(true))?;
            prepare_filter_sg(section.filter_sg == Some(true))?;
            if section.report_luns == Some(ReportLuns::Own) {
                EntryPoints::arm_report_luns()?;
            }
            let rules = prepare_rules(state, &whose, section, &device)?;
            Ok(Prepared::Device {
                device,
                unpriv_sgio: section.unpriv_sgio,
                complain: section.complain,
                report_luns: section.report_luns,
                pr_exclusive: section.pr_exclusive,
                filter_sg: section.filter_sg,
                rules,
            })
        }
        Target::Class(class) => {
            let table = match (section.table, &section.rules) {
                (None, Some(change)) if change.kind() == ChangeKind::Reset => {
                    Some(state.default_table)
                }
                (table, _) => table,
            };
            let rules = match (table, &section.rules) {
                (Some(table), _) => state.compile_table(class, table)?,
                (None, Some(change)) => compile_custom(apply(
                    &state.log_limits.mistakes,
                    &whose,
                    change,
                    state.class_rules(class),
                )?)?,
                // The parser lets no section pass that changes nothing.
                (None, None) => return Err(EINVAL),
            };
            Ok(Prepared::Class {
                class,
                rules,
                table,
            })
        }
    }
}

/// The rules and the grants of a device after a section, if it changes either.
fn prepare_rules(
    state: &State,
    whose: &Whose,
    section: &Section<'_>,
    device: &DeviceState,
) -> Result<Option<Option<Arc<CompiledFilter>>>> {
    if section.rules.is_none() && section.grants.is_empty() {
        return Ok(None);
    }
    let limit = &state.log_limits.mistakes;
    let old = device.rules.get();
    let old_grants = old.as_deref().and_then(CompiledFilter::grants);
    let grants = grants::apply(
        limit,
        whose,
        section.grants.iter(),
        old_grants.map(|grants| &**grants),
    )?;
    if grants.is_some() {
        sweep::look_after(state, device)?;
    }
    let Some(change) = &section.rules else {
        return CompiledFilter::regranted(old.as_deref(), grants).map(Some);
    };
    let rules = apply(limit, whose, change, &device.rules)?;
    compile_own(rules, grants).map(Some)
}

/// Does not sleep and cannot fail.
fn publish(state: &State, change: &mut Prepared, retired: &mut RetiredSet<CompiledFilter>) {
    match change {
        Prepared::Device {
            device,
            unpriv_sgio,
            complain,
            report_luns,
            pr_exclusive,
            filter_sg,
            rules,
        } => {
            if let Some(unpriv_sgio) = unpriv_sgio {
                device.modes.set(Mode::Unpriv, *unpriv_sgio);
            }
            if let Some(complain) = complain {
                device.modes.set(Mode::Complain, *complain);
            }
            if let Some(who) = report_luns {
                device.set_report_luns(*who);
            }
            if let Some(exclusive) = pr_exclusive {
                device.nexus.set_exclusive(*exclusive);
            }
            if let Some(filter) = filter_sg {
                device.set_filter_sg(*filter);
            }
            if let Some(rules) = rules.take() {
                retired.push(device.rules.replace(rules));
            }
        }
        Prepared::Class {
            class,
            rules,
            table,
        } => retired.push(state.replace_class(*class, rules.clone(), *table)),
    }
}

/// A text was refused. What it is about may be no device, so that all share a limit.
fn mistake(state: &State, whose: &dyn fmt::Display, why: &dyn core::fmt::Display) {
    log_mistake(&state.log_limits.mistakes, whose, why);
}

/// A place in the text, for messages.
struct Whose(u32);

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transaction, behind line {}", self.0)
    }
}
