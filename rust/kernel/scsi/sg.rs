// SPDX-License-Identifier: GPL-2.0

//! Which device an ioctl of the sg driver is for.
//!
//! sg asks `scsi_cmd_allowed()` about an SG_IO whose file is not open for both reading and writing, with
//! the CDB in a local array, which leads nowhere. So its ioctl function is probed, and what is
//! called within it, in the same task, is for the device of its file.
//!
//! The way from the file to the device is private to `drivers/scsi/sg.c`: `file->private_data` is a `struct
//! sg_fd`, whose `parentdp`, behind a list head, is the `struct sg_device`, which begins with `device`.
//! That is a guess about the running kernel, and only as good as what confirms it: every step is read so that a
//! wrong address does no harm, and whoever uses the result must know a device that is at the
//! very address that was found ([`Call::is_for`]).

use super::DeviceId;
use crate::kernel::{
    bindings,
    block::QueueId,
    fprobe::{
        Calls,
        Fprobe, //
    },
    module_events::{
        Listener,
        Subscription, //
    },
};
use core::mem::offset_of;
use kernel::{
    current, new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Mutex, //
    },
    transmute::FromBytes,
};

/// A call of `sg_ioctl()` that the current task is in.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    device: usize,
    queue: usize,
    number: u32,
}

/// One call. Only the task itself touches a slot that has its address, and the order in which tasks have
/// a slot is the order of what they write to it: who frees it releases, who takes it acquires.
struct Slot {
    /// 0: free.
    task: Atomic<usize>,
    device: Atomic<usize>,
    queue: Atomic<usize>,
    /// That of the queue.
    number: Atomic<u32>,
}

/// More calls at a time than there are slots, or too many whose tasks hash to neighbours: what finds no slot is
/// not known.
const SLOTS: usize = 1024;
const NEIGHBOURS: usize = 16;

static SLOT: [Slot; SLOTS] = [const {
    Slot {
        task: Atomic::new(0),
        device: Atomic::new(0),
        queue: Atomic::new(0),
        number: Atomic::new(0),
    }
}; SLOTS];

fn this_task() -> usize {
    core::ptr::from_ref(&**current!()) as usize
}

/// The slots where a task may be.
fn slots(task: usize) -> impl Iterator<Item = &'static Slot> {
    // Tasks are aligned to at least a cache line; a multiplicative hash of the rest.
    let start = (task >> 6).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    (start..start + NEIGHBOURS).filter_map(|n| SLOT.get(n % SLOTS))
}

impl Call {
    /// That of the current task.
    pub(crate) fn current() -> Option<Self> {
        let task = this_task();
        let slot = slots(task).find(|slot| slot.task.load(Relaxed) == task)?;
        Some(Self {
            device: slot.device.load(Relaxed),
            queue: slot.queue.load(Relaxed),
            number: slot.number.load(Relaxed),
        })
    }

    /// The queue to look for a device by.
    pub(crate) fn queue(self) -> QueueId {
        QueueId::from_parts(self.queue, self.number)
    }

    /// Whether the device that was found by the queue is that of the file.
    pub(crate) fn is_for(self, device: DeviceId) -> bool {
        device == DeviceId::from_addr(self.device)
    }
}

struct SgIoctl;

impl Calls for SgIoctl {
    fn enter(file: usize) {
        // Of a call that nobody saw the end of: it says nothing about this one.
        Self::leave();
        let Some(call) = call_on(file) else {
            return;
        };
        let task = this_task();
        let slot = slots(task).find(|slot| slot.task.cmpxchg(0, task, Acquire).is_ok());
        if let Some(slot) = slot {
            slot.device.store(call.device, Relaxed);
            slot.queue.store(call.queue, Relaxed);
            slot.number.store(call.number, Relaxed);
        }
    }

    fn leave() {
        let task = this_task();
        if let Some(slot) = slots(task).find(|slot| slot.task.load(Relaxed) == task) {
            slot.task.store(0, Release);
        }
    }
}

/// Frees what is left when no call is seen any more. A task that is in one meanwhile is not known then.
fn forget_all() {
    for slot in &SLOT {
        slot.task.store(0, Release);
    }
}

/// A value in kernel memory, if it can be read.
fn read<T: Default + FromBytes>(addr: usize) -> Option<T> {
    let mut value = T::default();
    // SAFETY: The destination is valid, and may have any content; the source may be anything.
    let ret = unsafe {
        bindings::copy_from_kernel_nofault(
            (&raw mut value).cast(),
            core::ptr::without_provenance(addr),
            size_of::<T>(),
        )
    };
    (ret == 0).then_some(value)
}

/// A pointer in kernel memory that is not null.
fn word(addr: usize) -> Option<usize> {
    read::<usize>(addr).filter(|word| *word != 0)
}

/// A call on a file of sg, whose device has a queue.
fn call_on(file: usize) -> Option<Call> {
    const PARENTDP: usize = size_of::<bindings::list_head>();

    let sg_fd = word(file.checked_add(offset_of!(bindings::file, private_data))?)?;
    let sg_device = word(sg_fd.checked_add(PARENTDP)?)?;
    let device = word(sg_device)?;
    let queue = word(device.checked_add(offset_of!(bindings::scsi_device, request_queue))?)?;
    let number = read::<u32>(queue.checked_add(offset_of!(bindings::request_queue, id))?)?;
    Some(Call {
        device,
        queue,
        number,
    })
}

/// Sees to it that the driver is probed, also when it is loaded later.
#[pin_data]
pub(crate) struct Watch {
    #[pin]
    modules: Subscription<Driver>,
}

#[pin_data]
struct Driver {
    #[pin]
    probe: Mutex<Option<Pin<KBox<Fprobe<SgIoctl>>>>>,
}

impl Driver {
    /// Probes the driver, if it is there. What cannot be probed is not known, and treated so.
    fn probe(&self) {
        let mut probe = self.probe.lock();
        // That of a driver which was unloaded has lost its function. Its handlers have been waited for, and
        // nobody sees the end of the calls that they saw begin.
        *probe = None;
        forget_all();
        match KBox::pin_init(Fprobe::new(c"sg_ioctl"), GFP_KERNEL) {
            Ok(new) => *probe = Some(new),
            Err(ENOENT) => {}
            Err(e) => pr_warn!("sg_ioctl() cannot be probed ({:?})\n", e),
        }
    }
}

impl Listener for Driver {
    fn loaded(&self, name: &CStr) {
        if name == c"sg" {
            self.probe();
        }
    }
}

impl Watch {
    /// Begins.
    ///
    /// # Errors
    ///
    /// Those of [`Subscription::new`]. That sg cannot be probed is none.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            modules <- Subscription::new(pin_init!(Driver {
                probe <- new_mutex!(None),
            })),
        })
        .pin_chain(|this: Pin<&mut Self>| {
            this.modules.listener().probe();
            Ok(())
        })
    }
}

#[kunit_tests(sgio_filter_sg)]
mod tests {
    use super::*;

    /// What [`call_on`] follows from a file to the number of a queue, and nothing around it.
    struct Way([usize; 5]);

    impl Way {
        fn new(number: u32) -> Self {
            Self([0, 0, 0, 0, number as usize])
        }

        fn at(&self, n: usize) -> usize {
            (&raw const self.0[n]).addr()
        }

        /// Returns the addresses of the file and of the device.
        fn lay(&mut self) -> (usize, usize) {
            let device = self.at(3) - offset_of!(bindings::scsi_device, request_queue);
            self.0[0] = self.at(1) - size_of::<bindings::list_head>();
            self.0[1] = self.at(2);
            self.0[2] = device;
            self.0[3] = self.at(4) - offset_of!(bindings::request_queue, id);
            // It is read behind the compiler's back.
            core::hint::black_box(&mut *self);
            (
                self.at(0) - offset_of!(bindings::file, private_data),
                device,
            )
        }
    }

    #[test]
    fn a_call_is_for_the_device_of_its_file() {
        let (mut one, mut other) = (Way::new(7), Way::new(8));
        let (file, device) = one.lay();
        let (other_file, _) = other.lay();

        assert!(Call::current().is_none());
        SgIoctl::enter(file);
        assert!(Call::current().is_some_and(|call| call.device == device && call.number == 7));
        SgIoctl::leave();
        assert!(Call::current().is_none());

        // One whose end was not seen.
        SgIoctl::enter(file);
        SgIoctl::enter(other_file);
        assert!(Call::current().is_some_and(|call| call.device != device && call.number == 8));
        SgIoctl::leave();
        assert!(Call::current().is_none());
    }

    #[test]
    fn what_is_left_of_a_call_is_for_no_other() {
        let mut way = Way::new(7);
        let (file, _) = way.lay();

        SgIoctl::enter(file);
        // No file that leads anywhere.
        SgIoctl::enter(0);
        assert!(Call::current().is_none());

        SgIoctl::enter(file);
        forget_all();
        assert!(Call::current().is_none());
    }

    #[test]
    fn a_call_without_a_place_is_not_known() {
        let mut way = Way::new(7);
        let (file, _) = way.lay();
        let task = this_task();

        // No task has that address. Places that others have stay theirs.
        for slot in slots(task) {
            let _ = slot.task.cmpxchg(0, 1, Acquire);
        }
        SgIoctl::enter(file);
        let without = Call::current().is_none();
        for slot in slots(task) {
            let _ = slot.task.cmpxchg(1, 0, Release);
        }
        assert!(without);

        SgIoctl::enter(file);
        assert!(Call::current().is_some());
        SgIoctl::leave();
    }

    #[test]
    fn a_file_that_leads_nowhere_is_no_call() {
        let mut way = Way::new(7);
        let (file, _) = way.lay();
        assert!(call_on(file).is_some());

        // Wherever the way ends: at null, and at an address that nothing has.
        for step in 0..4 {
            for end in [0, usize::MAX - 4095] {
                way.lay();
                way.0[step] = end;
                core::hint::black_box(&mut way);
                assert!(call_on(file).is_none());
            }
        }
        assert!(call_on(usize::MAX).is_none());
    }

    #[test]
    fn a_call_is_for_no_other_device() {
        let mut way = Way::new(7);
        let (file, device) = way.lay();

        assert!(call_on(file).is_some_and(|call| {
            call.is_for(DeviceId::from_addr(device))
                && !call.is_for(DeviceId::from_addr(device + 1))
                && !call.is_for(DeviceId::from_addr(0))
        }));
    }
}
