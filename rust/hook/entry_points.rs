// SPDX-License-Identifier: GPL-2.0

//! The entry points that are redirected besides `scsi_cmd_allowed()` and `scsi_rescan_device()`, whose redirections are
//! made in `sgio_filter_main.rs`.
//!
//! That of sg's ioctl is there whenever the driver is. The others are armed by the first setting that needs them, and
//! stay until the module goes: a redirection costs every caller of the function a little, and is in the way of
//! others who want to redirect it.

use super::{
    report_luns::OwnLuns,
    Decider, //
};
use crate::kernel::{
    driver_hook::Watch,
    scsi::{
        pr_ops,
        sg_io_reply,
        sg_request,
        sg_sender, //
    },
    sync::rcu::RcuArc,
    sysfs::Page, //
};
use kernel::{
    fmt::Write as _,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

/// The entry points, from early in loading until early in unloading.
static CURRENT: RcuArc<EntryPoints> = RcuArc::none();

/// The redirection of sg's ioctl, and those that are armed on demand.
#[pin_data]
pub(crate) struct EntryPoints {
    #[pin]
    sg_ioctl: Watch<sg_sender::Hook>,
    #[pin]
    report_luns: OnDemand<sg_io_reply::Hook<OwnLuns>>,
    #[pin]
    reservations: OnDemand<Watch<pr_ops::Hook<Decider>>>,
    #[pin]
    sg_requests: OnDemand<Watch<sg_request::Hook<Decider>>>,
}

impl EntryPoints {
    /// Arms the emulation of REPORT LUNS, if it is not armed yet.
    ///
    /// # Errors
    ///
    /// Those of [`sg_io_reply::Hook::new`]; `ENODEV` if the module is being loaded or unloaded.
    pub(crate) fn arm_report_luns() -> Result {
        Self::get()?.report_luns.arm(sg_io_reply::Hook::new())
    }

    /// Arms the filter of persistent reservations that come by the block layer (`IOC_PR_*`), if it is not armed yet.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` if the driver of disks cannot be hooked; those of [`Watch::new`]; `ENODEV` if the module is being
    /// loaded or unloaded.
    pub(crate) fn arm_reservations() -> Result {
        let this = Self::get()?;
        this.reservations.arm(Watch::new())?;
        // A guarantee that cannot be kept is not given.
        this.reservations
            .with(Watch::armed)
            .flatten()
            .unwrap_or(Ok(()))
    }

    /// Arms the filter of what sg sends without asking, if it is not armed yet.
    ///
    /// # Errors
    ///
    /// As [`Self::arm_reservations`].
    pub(crate) fn arm_sg_requests() -> Result {
        let this = Self::get()?;
        this.sg_requests.arm(Watch::new())?;
        this.sg_requests
            .with(Watch::armed)
            .flatten()
            .unwrap_or(Ok(()))
    }

    /// Prints which entry points are redirected: a line for each, or for several that are armed together (`sd_pr`),
    /// with the name and `armed`, `idle` (nothing has needed it, or its
    /// driver is not loaded) or `failed` and the number of the error.
    ///
    /// # Errors
    ///
    /// `ENODEV` if the module is being loaded or unloaded.
    pub(crate) fn show(page: &mut Page<'_>) -> Result {
        let this = Self::get()?;
        writeln!(page, "scsi_cmd_allowed armed")?;
        writeln!(page, "scsi_rescan_device armed")?;
        show(page, "sg_ioctl", this.sg_ioctl.armed())?;
        show(page, "scsi_ioctl", this.report_luns.with(|_| Ok(())))?;
        show(
            page,
            "sd_pr",
            this.reservations.with(Watch::armed).flatten(),
        )?;
        let sg_requests = this.sg_requests.with(Watch::armed).flatten();
        show(page, "blk_execute_rq_nowait", sg_requests)?;
        Ok(())
    }

    fn get() -> Result<Arc<Self>> {
        CURRENT.get().ok_or(ENODEV)
    }
}

fn show(page: &mut Page<'_>, name: &str, armed: Option<Result>) -> Result {
    match armed {
        None => writeln!(page, "{name} idle")?,
        Some(Ok(())) => writeln!(page, "{name} armed")?,
        Some(Err(e)) => writeln!(page, "{name} failed {}", -e.to_errno())?,
    }
    Ok(())
}

/// While this object lives, entry points can be armed; when it is dropped, they are disarmed.
///
/// After that, nothing can be armed. A task that was arming something at that moment may still do so: that is
/// disarmed with the last reference to the entry points, which the task holds. So the files that arm something are
/// removed, which waits for such tasks, after this is dropped, and before the module goes.
pub(crate) struct Armed(Arc<EntryPoints>);

impl Armed {
    /// Nothing is armed yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and those of [`Watch::new`].
    pub(crate) fn new() -> Result<Self> {
        let points = Arc::pin_init(
            try_pin_init!(EntryPoints {
                sg_ioctl <- Watch::new(),
                report_luns <- OnDemand::new(),
                reservations <- OnDemand::new(),
                sg_requests <- OnDemand::new(),
            }),
            GFP_KERNEL,
        )?;
        drop(CURRENT.replace(Some(points.clone())));
        Ok(Self(points))
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        drop(CURRENT.replace(None));
        self.0.reservations.disarm();
        self.0.sg_requests.disarm();
        // Waits for each SG_IO that is under way.
        self.0.report_luns.disarm();
    }
}

/// A redirection that is made when it is first needed.
#[pin_data]
struct OnDemand<T> {
    #[pin]
    armed: Mutex<Option<Pin<KBox<T>>>>,
}

impl<T> OnDemand<T> {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            armed <- new_mutex!(None),
        })
    }

    fn arm(&self, hook: impl PinInit<T, Error>) -> Result {
        let mut armed = self.armed.lock();
        if armed.is_none() {
            *armed = Some(KBox::pin_init(hook, GFP_KERNEL)?);
        }
        Ok(())
    }

    /// What `f` says of the redirection, if there is one.
    fn with<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        self.armed.lock().as_ref().map(|hook| f(hook))
    }

    fn disarm(&self) {
        *self.armed.lock() = None;
    }
}
