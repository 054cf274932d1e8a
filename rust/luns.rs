// SPDX-License-Identifier: GPL-2.0

//! `report_luns` = `own`: REPORT LUNS answered without the device.
//!
//! The hook of `scsi_cmd_allowed()` can only say yes or no, and says no ([`Decision::OwnLuns`]). So the
//! command cannot reach the device, by whatever interface and whatever happens to the CDB in user
//! memory. That SG_IO gets an answer nevertheless is done here, in a hook that looks first.

use crate::{
    device::count,
    events::{
        self,
        Outcome, //
    },
    kernel_ext::{
        block::QueueId,
        capability::Capability,
        scsi::{
            cmd_allowed::CDB_BUFFER,
            ioctl::{
                Answer,
                Hook,
                Reply, //
            }, //
        },
    },
    policy::{
        report_own_lun,
        Cdb,
        Decision,
        OwnLun,
        REPORT_LUNS, //
    },
    state::State, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        rcu,
        Arc,
        Mutex, //
    },
};

/// Answers by the [`State`] that is in force.
pub(crate) struct OwnLuns;

impl Answer for OwnLuns {
    fn answer(
        queue: QueueId,
        cdb: &[u8; CDB_BUFFER],
        len: usize,
        open_for_write: bool,
    ) -> Option<Reply> {
        if cdb[0] != REPORT_LUNS {
            return None;
        }
        let guard = rcu::read_lock();
        let state = State::current(&guard)?;
        let device = &state.devices.get(queue.key(), &guard)?.device;
        let ruling = state.rule_on(device, &Cdb::new(cdb)?, open_for_write, &guard);
        if ruling.decision != Decision::OwnLuns || Capability::SYS_RAWIO.current_has_quietly() {
            return None;
        }
        let reply = report_own_lun(&Cdb::from_buffer(cdb, len)?, device.hctl.lun)?;
        count(&device.stats.emulated);
        events::decided(device, cdb, open_for_write, &ruling, Outcome::Emulated);
        Some(match reply {
            OwnLun::Data(data, len) => Reply::Good(data, len),
            OwnLun::InvalidField(sense) => Reply::CheckCondition(sense),
        })
    }
}

/// The hook, from the first time that it is wanted.
#[pin_data]
pub(crate) struct Emulation {
    #[pin]
    hook: Mutex<Option<Pin<KBox<Hook<OwnLuns>>>>>,
}

impl Emulation {
    /// Not wanted yet.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            hook <- new_mutex!(None),
        })
    }

    /// Sees to it that there is the hook.
    ///
    /// # Errors
    ///
    /// Those of [`Hook::new`].
    pub(crate) fn arm(&self) -> Result {
        let mut hook = self.hook.lock();
        if hook.is_none() {
            *hook = Some(KBox::pin_init(Hook::new(), GFP_KERNEL)?);
        }
        Ok(())
    }
}

/// While this object lives, the hook can be armed; then it goes. Nobody can ask for it any more
/// when it is dropped.
pub(crate) struct Armable(pub(crate) Arc<State>);

impl Drop for Armable {
    fn drop(&mut self) {
        *self.0.emulation.hook.lock() = None;
    }
}
