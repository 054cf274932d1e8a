// SPDX-License-Identifier: GPL-2.0

//! `/sys/bus/scsi/devices/<h:c:t:l>/sgio_filter/`: the files of one device.
//!
//! ABI: `Documentation/ABI/testing/sysfs-bus-scsi-devices-sgio_filter`

use super::{
    accept,
    apply,
    arm_for,
    grants,
    parse,
    show_hits,
    show_rules,
    show_stats,
    show_switch,
    switch,
    word,
    write_escaped, //
};
use crate::{
    hook::entry_points::EntryPoints,
    kernel::{
        cgroup,
        kobject::{
            Entry,
            Kobject, //
        },
        scsi,
        sysfs::{
            File,
            Page,
            Write, //
        }, //
    },
    policy::{
        ReportLuns,
        RuleStore, //
    },
    state::device::{
        DeviceState,
        Mode, //
    },
    state::filter::CompiledFilter,
    state::grants::Grants,
    state::rules::RuleVec,
    state::State,
};
use kernel::{
    fmt::Write as _,
    prelude::*,
    sync::Arc, //
};

/// What the files of one device work on.
struct Knobs {
    state: Arc<State>,
    device: Arc<DeviceState>,
}

static FILES: [File<Kobject<Knobs>>; 14] = [
    File::writable(
        c"unpriv_sgio",
        Knobs::show_unpriv_sgio,
        Knobs::store_unpriv_sgio,
    ),
    File::writable(c"complain", Knobs::show_complain, Knobs::store_complain),
    File::writable(
        c"report_luns",
        Knobs::show_report_luns,
        Knobs::store_report_luns,
    ),
    File::writable(
        c"pr_exclusive",
        Knobs::show_pr_exclusive,
        Knobs::store_pr_exclusive,
    ),
    File::private(c"pr_owner", Knobs::show_pr_owner),
    File::writable(c"filter_sg", Knobs::show_filter_sg, Knobs::store_filter_sg),
    File::writable(c"rules", Knobs::show_rules, Knobs::store_rules),
    File::private(c"hits", Knobs::show_hits),
    File::private(c"grants", Knobs::show_grants),
    File::read_only(c"nexus", Knobs::show_nexus),
    File::read_only(c"identity", Knobs::show_identity),
    File::read_only(c"class", Knobs::show_class),
    File::read_only(c"id", Knobs::show_id),
    File::read_only(c"stats", Knobs::show_stats),
];

/// Makes the directory of `device`, which is there while the result lives.
///
/// # Errors
///
/// Those of [`Kobject::new`].
pub(crate) fn directory(
    state: &Arc<State>,
    scsi: &scsi::Device,
    device: &Arc<DeviceState>,
) -> Result<Entry> {
    let knobs = Knobs {
        state: state.clone(),
        device: device.clone(),
    };
    Ok(Kobject::new(scsi.as_parent(), c"sgio_filter", knobs, &FILES)?.into())
}

/// Shows `unpriv_sgio`, which has a second place in the disk's `queue` directory.
pub(super) fn show_unpriv_sgio(device: &DeviceState, page: &mut Page<'_>) -> Result {
    show_switch(device.modes.has(Mode::Unpriv), page)
}

/// Sets `unpriv_sgio`.
pub(super) fn store_unpriv_sgio(device: &DeviceState, write: &Write<'_>) -> Result {
    device.modes.set(Mode::Unpriv, switch(accept(write)?)?);
    Ok(())
}

/// The rules and the grants of a device, `None` if there is none of either.
///
/// # Errors
///
/// `ENOMEM`, and those of [`arm_for`].
pub(super) fn compile_own(
    rules: RuleVec,
    grants: Option<Arc<Grants>>,
) -> Result<Option<Arc<CompiledFilter>>> {
    arm_for(&rules)?;
    (!rules.rules().is_empty() || grants.is_some())
        .then(|| CompiledFilter::compile_with(rules, grants))
        .transpose()
}

/// Sees to it that a nexus can have one owner at a time: that its senders can be told apart, and that no entry point
/// goes around it.
///
/// # Errors
///
/// `EOPNOTSUPP`, and those of [`EntryPoints::arm_reservations`].
pub(super) fn prepare_exclusive(exclusive: bool) -> Result {
    if !exclusive {
        return Ok(());
    }
    if !cgroup::any_but_root() {
        return Err(EOPNOTSUPP);
    }
    EntryPoints::arm_reservations()
}

/// Prints the name of a logical unit, or that it has none.
fn write_name(page: &mut Page<'_>, name: &[u8]) -> Result {
    write_escaped(page, if name.is_empty() { b"-" } else { name })
}

/// Sees to it that `/dev/sgN` can be filtered.
///
/// # Errors
///
/// Those of [`EntryPoints::arm_sg_requests`].
pub(super) fn prepare_filter_sg(filter: bool) -> Result {
    if filter {
        EntryPoints::arm_sg_requests()?;
    }
    Ok(())
}

impl Knobs {
    fn show_unpriv_sgio(&self, page: &mut Page<'_>) -> Result {
        show_unpriv_sgio(&self.device, page)
    }

    fn store_unpriv_sgio(&self, write: &Write<'_>) -> Result {
        store_unpriv_sgio(&self.device, write)
    }

    fn show_complain(&self, page: &mut Page<'_>) -> Result {
        show_switch(self.device.modes.has(Mode::Complain), page)
    }

    fn store_complain(&self, write: &Write<'_>) -> Result {
        self.device
            .modes
            .set(Mode::Complain, switch(accept(write)?)?);
        Ok(())
    }

    fn show_report_luns(&self, page: &mut Page<'_>) -> Result {
        Ok(writeln!(page, "{}", self.device.report_luns().name())?)
    }

    fn store_report_luns(&self, write: &Write<'_>) -> Result {
        let who = ReportLuns::from_name(word(accept(write)?)).ok_or(EINVAL)?;
        if who == ReportLuns::Own {
            EntryPoints::arm_report_luns()?;
        }
        self.device.set_report_luns(who);
        Ok(())
    }

    fn show_pr_exclusive(&self, page: &mut Page<'_>) -> Result {
        show_switch(self.device.nexus.is_exclusive(), page)
    }

    fn store_pr_exclusive(&self, write: &Write<'_>) -> Result {
        let text = accept(write)?;
        if word(text) == b"reset" {
            self.device.nexus.let_go();
            return Ok(());
        }
        let exclusive = switch(text)?;
        prepare_exclusive(exclusive)?;
        self.device.nexus.set_exclusive(exclusive);
        Ok(())
    }

    fn show_filter_sg(&self, page: &mut Page<'_>) -> Result {
        show_switch(self.device.filters_sg(), page)
    }

    fn store_filter_sg(&self, write: &Write<'_>) -> Result {
        let filter = switch(accept(write)?)?;
        prepare_filter_sg(filter)?;
        self.device.set_filter_sg(filter);
        Ok(())
    }

    fn show_nexus(&self, page: &mut Page<'_>) -> Result {
        let nexus = &self.device.nexus;
        let (host, channel, target) = nexus.path;
        writeln!(page, "nexus {host}:{channel}:{target}")?;
        write!(page, "lu ")?;
        write_name(page, &nexus.name)?;
        writeln!(page, "\npr_exclusive {}", u8::from(nexus.is_exclusive()))?;
        for device in self.state.nexuses.devices(nexus)? {
            page.write_fmt(fmt!("device {}\n", device))?;
        }
        Ok(())
    }

    fn show_pr_owner(&self, page: &mut Page<'_>) -> Result {
        if let Some((id, path)) = self.device.nexus.owner()? {
            write!(page, "{id} ")?;
            write_escaped(page, &path)?;
        }
        Ok(writeln!(page)?)
    }

    fn show_identity(&self, page: &mut Page<'_>) -> Result {
        write_name(page, &self.device.nexus.name)?;
        Ok(writeln!(page)?)
    }

    fn show_id(&self, page: &mut Page<'_>) -> Result {
        Ok(writeln!(page, "{}", self.device.id)?)
    }

    fn show_hits(&self, page: &mut Page<'_>) -> Result {
        show_hits(&self.device.rules, page)
    }

    fn show_grants(&self, page: &mut Page<'_>) -> Result {
        grants::show(&self.device.rules, page)
    }

    fn show_class(&self, page: &mut Page<'_>) -> Result {
        Ok(writeln!(page, "{}", self.device.class.name())?)
    }

    fn show_rules(&self, page: &mut Page<'_>) -> Result {
        show_rules(&self.device.rules, page)
    }

    fn store_rules(&self, write: &Write<'_>) -> Result {
        let hctl = &self.device.hctl;
        let limit = &self.device.log_limits.mistakes;
        let change = parse(limit, hctl, accept(write)?)?;

        let writers = self.state.writers.lock();
        let rules = apply(limit, hctl, &change, &self.device.rules)?;
        let old = self.device.rules.get();
        let grants = grants::living(old.as_deref().and_then(CompiledFilter::grants))?;
        let old = self.device.rules.replace(compile_own(rules, grants)?);
        // Others may write while this one waits for the readers.
        drop(writers);
        drop(old);
        Ok(())
    }

    fn show_stats(&self, page: &mut Page<'_>) -> Result {
        show_stats(&self.device.stats, page)
    }
}
