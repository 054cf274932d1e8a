// SPDX-License-Identifier: GPL-2.0

//! The entry points that are redirected when they are first needed, besides `scsi_cmd_allowed()`.
//!
//! A redirection costs every caller of the function a little, and is in the way of others who want to
//! redirect it. So it is armed by the first setting that needs it, and stays until the module goes.

use super::report_luns::OwnLuns;
use crate::kernel::{
    scsi::ioctl,
    sync::rcu::RcuArc, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

/// Those that can be armed at this moment.
static ARMABLE: RcuArc<EntryPoints> = RcuArc::none();

/// The redirections that are armed on demand.
#[pin_data]
pub(crate) struct EntryPoints {
    #[pin]
    report_luns: OnDemand<ioctl::Hook<OwnLuns>>,
}

impl EntryPoints {
    /// Arms the emulation of REPORT LUNS, if it is not armed yet.
    ///
    /// # Errors
    ///
    /// Those of [`ioctl::Hook::new`]; `ENODEV` if the module is being loaded or unloaded.
    pub(crate) fn arm_report_luns() -> Result {
        Self::get()?.report_luns.arm(ioctl::Hook::new())
    }

    fn get() -> Result<Arc<Self>> {
        ARMABLE.get().ok_or(ENODEV)
    }
}

/// While this object lives, entry points can be armed; when it is dropped, they are disarmed.
///
/// Nobody may arm one any more when it is dropped.
pub(crate) struct Armed(Arc<EntryPoints>);

impl Armed {
    /// Nothing is armed yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let points = Arc::pin_init(
            pin_init!(EntryPoints {
                report_luns <- OnDemand::new(),
            }),
            GFP_KERNEL,
        )?;
        drop(ARMABLE.replace(Some(points.clone())));
        Ok(Self(points))
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        drop(ARMABLE.replace(None));
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

    fn disarm(&self) {
        *self.armed.lock() = None;
    }
}
