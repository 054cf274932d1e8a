// SPDX-License-Identifier: GPL-2.0

//! I_T nexuses to logical units, and the one who may reserve over them.
//!
//! A logical unit knows the sender of a command by the I_T nexus, the pair of initiator port and
//! target port (SAM-5 3.1.50, SPC-4 5.13 "Reservations"). Two guests that use one host's HBA are one to it,
//! and each can preempt or release what the other has reserved. `pr_exclusive` lets only one of them
//! send PERSISTENT RESERVE OUT.
//!
//! In Linux a nexus is a target of a host (`struct scsi_target`): the host is the initiator port, the
//! target is the target port. Several devices are one logical unit through one nexus if the target
//! shows it under several LUNs.

use crate::{
    kernel::{
        capability::Capability,
        cgroup::Cgroup,
        scsi, //
    },
    policy::Hctl, //
};
use core::cmp::Ordering;
use kernel::{
    new_mutex,
    new_spinlock, //
    prelude::*,
    rbtree::RBTree,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        rcu,
        Arc,
        Mutex,
        SpinLock, //
    },
};

/// A logical unit through a nexus.
#[pin_data]
pub(crate) struct Nexus {
    /// Host, channel, target.
    pub(crate) path: (u32, u32, u32),
    /// The LUN, if the logical unit has no name.
    lun: Option<u64>,
    /// Its name: a designator of VPD page 83h.
    pub(crate) name: KVec<u8>,
    /// One owner at a time. Changes with `owner` locked.
    exclusive: Atomic<bool>,
    #[pin]
    owner: SpinLock<Option<Cgroup>>,
}

/// What is said to a sender.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may send.
    Admitted,
    /// Another cgroup is the owner, or the sender's is the root, which tells nobody from another.
    NotOwner,
    /// `pr_exclusive` was switched during the decision: decide again.
    Changed,
}

impl Nexus {
    fn of(device: &scsi::Device) -> Result<impl PinInit<Self>> {
        let name = device.lu_name()?;
        let (host, channel, target, lun) = device.address();
        Ok(pin_init!(Self {
            path: (host, channel, target),
            lun: name.is_empty().then_some(lun),
            name,
            exclusive: Atomic::new(false),
            owner <- new_spinlock!(None),
        }))
    }

    /// Whether there is one owner at a time.
    #[inline]
    pub(crate) fn is_exclusive(&self) -> bool {
        self.exclusive.load(Acquire)
    }

    /// Switches `pr_exclusive`. Without it, there is no owner. Does not sleep.
    pub(crate) fn set_exclusive(&self, exclusive: bool) {
        let mut owner = self.owner.lock();
        self.exclusive.store(exclusive, Release);
        if !exclusive {
            *owner = None;
        }
    }

    /// Lets the owner go.
    pub(crate) fn let_go(&self) {
        *self.owner.lock() = None;
    }

    /// Whether the current task may send PERSISTENT RESERVE OUT; if nobody is the owner, it becomes the
    /// owner. `exclusive` is what the policy said when it was asked, `holder` the id of the cgroup by whose grant it
    /// may: then that one is the owner, not the cgroup below it that the task happens to be in.
    pub(crate) fn admit(
        &self,
        exclusive: bool,
        holder: Option<u64>,
        guard: &rcu::Guard,
    ) -> Admission {
        if !exclusive || Capability::SYS_RAWIO.current_has_quietly() {
            return Admission::Admitted;
        }
        let mut owner = self.owner.lock();
        if !self.exclusive.load(Relaxed) {
            return Admission::Changed;
        }
        match &*owner {
            Some(owner) if holder.is_some_and(|id| owner.id() == id) => Admission::Admitted,
            Some(owner) if owner.is_that_of_current(guard) => Admission::Admitted,
            Some(owner) if !owner.is_gone() => Admission::NotOwner,
            _ => match holder.map_or_else(
                || Cgroup::of_current(guard),
                |id| Cgroup::above_current(id, guard),
            ) {
                Some(current) if !current.is_root() => {
                    *owner = Some(current);
                    Admission::Admitted
                }
                _ => Admission::NotOwner,
            },
        }
    }

    /// Id and path of the owner's cgroup, as the current task sees it, if it is still there.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn owner(&self) -> Result<Option<(u64, KVec<u8>)>> {
        let owner = self.owner.lock().clone();
        owner
            .filter(|owner| !owner.is_gone())
            .map(|owner| Ok((owner.id(), owner.path()?)))
            .transpose()
    }
}

/// A nexus as a key: all those of one logical unit are equal.
struct ByName(Arc<Nexus>);

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |of: &Self| (of.0.path, of.0.lun);
        key(self)
            .cmp(&key(other))
            .then_with(|| self.0.name[..].cmp(&other.0.name[..]))
    }
}

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ByName {}

/// All that there are, each with its devices.
#[pin_data]
pub(crate) struct Nexuses {
    #[pin]
    all: Mutex<RBTree<ByName, Known>>,
}

struct Known {
    nexus: Arc<Nexus>,
    devices: KVec<Hctl>,
}

impl Nexuses {
    /// None yet.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            all <- new_mutex!(RBTree::new()),
        })
    }

    /// The nexus of a device that is added.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn join(&self, device: &scsi::Device) -> Result<Arc<Nexus>> {
        let key = ByName(Arc::pin_init(Nexus::of(device)?, GFP_KERNEL)?);
        let mut all = self.all.lock();
        if let Some(known) = all.get_mut(&key) {
            known.devices.push(device.into(), GFP_KERNEL)?;
            return Ok(known.nexus.clone());
        }
        let mut devices = KVec::with_capacity(1, GFP_KERNEL)?;
        devices.push(device.into(), GFP_KERNEL)?;
        let nexus = key.0.clone();
        let known = Known {
            nexus: nexus.clone(),
            devices,
        };
        all.try_create_and_insert(key, known, GFP_KERNEL)?;
        Ok(nexus)
    }

    /// Forgets a device, and the nexus with its last one.
    pub(crate) fn leave(&self, nexus: &Arc<Nexus>, hctl: Hctl) {
        let key = ByName(nexus.clone());
        let mut all = self.all.lock();
        if let Some(known) = all.get_mut(&key) {
            known.devices.retain(|device| *device != hctl);
            if known.devices.is_empty() {
                drop(all.remove(&key));
            }
        }
    }

    /// The devices of a nexus.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn devices(&self, nexus: &Arc<Nexus>) -> Result<KVec<Hctl>> {
        let key = ByName(nexus.clone());
        let all = self.all.lock();
        let mut copy = KVec::new();
        if let Some(known) = all.get(&key) {
            copy.extend_from_slice(&known.devices, GFP_KERNEL)?;
        }
        Ok(copy)
    }
}
