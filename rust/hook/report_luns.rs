// SPDX-License-Identifier: GPL-2.0

//! `report_luns` = `own`: REPORT LUNS answered without the device.
//!
//! The hook of `scsi_cmd_allowed()` can only say yes or no, and says no ([`Decision::OwnLuns`]). So the
//! command cannot reach the device, by whatever interface and whatever happens to the CDB in user
//! memory. That SG_IO gets an answer nevertheless is done here, in a hook that looks first.

use super::{
    command::Command, //
    log::{
        self,
        Subject, //
    },
    outcome::Outcome,
    verdict::Verdict,
};
use crate::{
    kernel::{
        block::QueueId,
        capability::Capability,
        scsi::{
            cmd_allowed::CDB_BUFFER,
            sg_io_reply::{
                Answer,
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
use kernel::sync::rcu;

/// Answers by the current [`State`].
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
        let sent = device.lun_in_cdb.sent(cdb);
        let verdict = Verdict::on(state, device, &Cdb::new(&sent)?, open_for_write, &guard);
        if verdict.decision != Decision::OwnLuns || Capability::SYS_RAWIO.current_has_quietly() {
            return None;
        }
        let reply = report_own_lun(&Cdb::from_buffer(cdb, len)?, device.hctl.lun)?;
        Outcome::Emulated.count(&device.stats);
        let command = Command {
            cdb,
            known: len,
            open_for_write,
            privileged: None,
        };
        log::decided(&Subject::of(device), &command, &verdict, Outcome::Emulated);
        Some(match reply {
            OwnLun::Data(data, len) => Reply::Good(data, len),
            OwnLun::InvalidField(sense) => Reply::CheckCondition(sense),
        })
    }
}
