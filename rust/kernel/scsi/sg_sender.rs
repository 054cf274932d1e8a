// SPDX-License-Identifier: GPL-2.0

//! Which device an SG_IO of the sg driver is for.
//!
//! sg asks `scsi_cmd_allowed()` about an SG_IO whose file is not open for both reading and writing, with the CDB in
//! a local array, which leads nowhere. So its ioctl function is redirected for these files: the replacement keeps
//! the device of the file for the task while sg's own function runs. Each call brings the memory for that itself:
//! one that gets none fails, and takes nothing from others.
//!
//! The way from the file to the device is private to `drivers/scsi/sg.c`: `file->private_data` is a `struct
//! sg_fd`, whose `parentdp`, behind a list head, is the `struct sg_device`, which begins with `device`.
//! That is a guess about the running kernel, and only as good as what confirms it: every step is read so that a
//! wrong address does no harm, and the result counts only for a device that is known to be at the
//! very address that was found ([`Sender::is_for`]).
//!
//! Not here: files that are open for both, and write(2), which sg does not check ([`super::sg_request`]).

use super::{
    callers,
    DeviceId, //
};
use crate::kernel::{
    arch::Trampoline,
    bindings,
    block::QueueId,
    driver_hook::DriverHook,
    ftrace::{
        CallFilter,
        Redirect, //
    },
    in_flight::{
        self,
        InFlight, //
    },
    nofault, symbol,
    sync::rcu::RcuArc,
};
use core::mem::offset_of;
use kernel::{
    current,
    fs::file::flags,
    new_spinlock,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode, //
    },
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        rcu,
        Arc,
        SpinLock, //
    },
};

/// An SG_IO of the current task on a file of sg that is not open for both reading and writing.
#[derive(Clone, Copy)]
pub(crate) struct Sender {
    /// Where it goes to, if that is known.
    to: Option<Destination>,
    open_for_write: bool,
}

/// Where the commands of a file of sg go to.
#[derive(Clone, Copy)]
struct Destination {
    device: usize,
    queue: usize,
    number: u32,
}

/// The tasks that are in an SG_IO.
#[pin_data]
struct Senders {
    #[pin]
    by_task: SpinLock<RBTree<usize, Sender>>,
}

static SENDERS: RcuArc<Senders> = RcuArc::none();

fn this_task() -> usize {
    core::ptr::from_ref(&**current!()) as usize
}

impl Senders {
    fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                by_task <- new_spinlock!(RBTree::new()),
            }),
            GFP_KERNEL,
        )
    }

    /// Keeps `sender` for the current task, until the result is dropped.
    fn keep(&self, sender: Sender) -> Result<Kept<'_>> {
        let node = RBTreeNode::new(this_task(), sender, GFP_KERNEL)?;
        let old = self.by_task.lock().insert(node);
        drop(old);
        Ok(Kept(self))
    }
}

struct Kept<'a>(&'a Senders);

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        let node = self.0.by_task.lock().remove_node(&this_task());
        drop(node);
    }
}

impl Sender {
    /// That of the current task, if it is in such an SG_IO.
    pub(crate) fn current(guard: &rcu::Guard) -> Option<Self> {
        let senders = SENDERS.read(guard)?;
        let by_task = senders.by_task.lock();
        by_task.get(&this_task()).copied()
    }

    /// The queue to look for a device by, if one is known.
    pub(crate) fn queue(self) -> Option<QueueId> {
        let to = self.to?;
        Some(QueueId::from_parts(to.queue, to.number))
    }

    /// Whether the device that was found by the queue is that of the file.
    pub(crate) fn is_for(self, device: DeviceId) -> bool {
        self.to
            .is_some_and(|to| device == DeviceId::from_addr(to.device))
    }

    /// Whether the file is open for writing.
    pub(crate) fn is_open_for_write(self) -> bool {
        self.open_for_write
    }
}

/// A pointer in kernel memory that is not null.
fn word(addr: usize) -> Option<usize> {
    nofault::read::<usize>(addr).filter(|word| *word != 0)
}

/// Where the commands of a file of sg go to, if its device has a queue.
fn destination_of(file: usize) -> Option<Destination> {
    const PARENTDP: usize = size_of::<bindings::list_head>();

    let sg_fd = word(file.checked_add(offset_of!(bindings::file, private_data))?)?;
    let sg_device = word(sg_fd.checked_add(PARENTDP)?)?;
    let device = word(sg_device)?;
    let queue = word(device.checked_add(offset_of!(bindings::scsi_device, request_queue))?)?;
    let number = nofault::read::<u32>(queue.checked_add(offset_of!(bindings::request_queue, id))?)?;
    Some(Destination {
        device,
        queue,
        number,
    })
}

/// `sg_ioctl()`.
type SgIoctl = unsafe extern "C" fn(*mut bindings::file, c_uint, c_ulong) -> c_long;

/// The address of sg's own function, from before the redirection is made.
static ORIGINAL: Atomic<usize> = Atomic::new(0);

static CALLS: InFlight = InFlight::none();

/// The ioctls of files that sg asks about.
struct NotForBoth;

impl CallFilter for NotForBoth {
    #[inline(always)]
    unsafe fn selects(file: usize) -> bool {
        // SAFETY: By the safety requirement `sg_ioctl()` has just been called with `file`, which the caller keeps open
        // until it returns.
        unsafe { access_mode(core::ptr::with_exposed_provenance(file)) != flags::O_RDWR }
    }

    fn trampoline() -> Option<Trampoline> {
        Trampoline::of_sg_ioctl()
    }
}

/// Whether an SG_IO that [`NotForBoth`] selects goes on in sg's own function: if it is [`sg_ioctl`] that calls it.
/// Where the call comes from would not tell; a tracer may have put its own address there.
///
/// Called by the trampoline, as an ordinary function.
#[export_name = "sgio_sg_ioctl_goes_on"]
extern "C" fn goes_on() -> bool {
    Sender::current(&rcu::read_lock()).is_some()
}

/// How a file is open.
///
/// # Safety
///
/// `file` is open.
#[inline(always)]
unsafe fn access_mode(file: *const bindings::file) -> u32 {
    // SAFETY: By the safety requirement `file` is open, so it is valid. Flags may change at any time, but not the
    // access mode among them.
    unsafe { (&raw const (*file).f_flags).read_volatile() & flags::O_ACCMODE }
}

/// # Safety
///
/// Called in the place of `sg_ioctl()`.
#[export_name = "sgio_sg_ioctl"]
unsafe extern "C" fn sg_ioctl(file: *mut bindings::file, cmd: c_uint, arg: c_ulong) -> c_long {
    let call = CALLS.enter();
    // SAFETY: `ORIGINAL` was set to the address of the function before calls could arrive here. It is set again only
    // when sg is loaded again. That is after it was unloaded, so after `Hook` was dropped, which waits for all calls
    // here. That `sg_ioctl()` has this signature is assumed: it is known by its name, and
    // `file_operations::unlocked_ioctl`.
    let original: SgIoctl = unsafe { core::mem::transmute(ORIGINAL.load(Relaxed)) };
    if cmd != bindings::SG_IO {
        // SAFETY: By the safety requirement, these are arguments for that function, which is not redirected for callers
        // in this module. (The trampoline sends no such call here.)
        let ret = unsafe { original(file, cmd, arg) };
        drop(call);
        return ret;
    }
    // SAFETY: By the safety requirement this is a call of `sg_ioctl()`, whose caller keeps the file open until it
    // returns.
    let mode = unsafe { access_mode(file) };
    let sender = Sender {
        to: destination_of(file.addr()),
        // As sg asks: a file that is open for ioctls alone (access mode 3) is not open for writing.
        open_for_write: matches!(mode, flags::O_WRONLY | flags::O_RDWR),
    };
    // There are some as long as calls can arrive here.
    let Some(senders) = SENDERS.get() else {
        return ENODEV.to_errno() as c_long;
    };
    let kept = match senders.keep(sender) {
        Ok(kept) => kept,
        Err(e) => return e.to_errno() as c_long,
    };
    // SAFETY: By the safety requirement, these are arguments for that function. It is not redirected for callers in this
    // module, or, by the trampoline, not for a task that has a sender.
    let ret = unsafe { original(file, cmd, arg) };
    drop(kept);
    drop(senders);
    drop(call);
    ret
}

/// While this object lives, it is known where the SG_IOs go to that sg asks about. Without it, no device is known.
#[pin_data]
pub(crate) struct Hook {
    // Dropped first; the drop of `rest` waits.
    #[pin]
    redirect: Redirect,
    rest: in_flight::Wait,
    // Behind the calls that use them.
    senders: Published,
}

/// The [`SENDERS`] while the hook is there.
struct Published(());

impl Drop for Published {
    fn drop(&mut self) {
        drop(SENDERS.replace(None));
    }
}

impl DriverHook for Hook {
    const DRIVER: &'static CStr = c"sg";

    unsafe fn new() -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            let from = symbol::address_of(c"sg_ioctl")?;
            callers::prove_sg(from)?;
            let to = sg_ioctl as SgIoctl as *const c_void;
            let senders = Senders::new()?;
            Ok(try_pin_init!(Self {
                senders: {
                    ORIGINAL.store(from, Relaxed);
                    drop(SENDERS.replace(Some(senders)));
                    Published(())
                },
                // SAFETY: Both functions have the same signature (assumed of sg's, see `sg_ioctl`), and may sleep.
                // When the replacement sleeps it is counted, and waited for by `rest`. The filter and the trampoline
                // are those of `sg_ioctl()`, and what it asks does not sleep, but for a lock as an RCU reader.
                redirect <- unsafe {
                    Redirect::with_original_if::<NotForBoth>(
                        c"sg_ioctl",
                        core::ptr::without_provenance(from),
                        to,
                    )
                },
                rest: in_flight::Wait(&CALLS),
            }))
        })
    }
}

#[kunit_tests(sgio_filter_sg)]
mod tests {
    use super::*;

    /// What [`destination_of`] follows from a file to the number of a queue, and nothing around it.
    struct Path([usize; 5]);

    impl Path {
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

    fn sender(file: usize) -> Sender {
        Sender {
            to: destination_of(file),
            open_for_write: false,
        }
    }

    #[test]
    fn a_sender_is_kept_for_its_call() -> Result {
        let (mut one, mut other) = (Path::new(7), Path::new(8));
        let (file, device) = one.lay();
        let (other_file, _) = other.lay();
        let senders = Senders::new()?;
        let current = || senders.by_task.lock().get(&this_task()).copied();
        let number = || current().and_then(|sender| Some(sender.to?.number));

        assert!(current().is_none());
        let kept = senders.keep(sender(file))?;
        assert_eq!(number(), Some(7));
        assert!(current().is_some_and(|sender| sender.is_for(DeviceId::from_addr(device))));
        drop(kept);
        assert!(current().is_none());

        let kept = senders.keep(sender(other_file))?;
        assert_eq!(number(), Some(8));
        drop(kept);
        assert!(current().is_none());
        Ok(())
    }

    #[test]
    fn a_file_that_leads_nowhere_has_no_destination() {
        let mut path = Path::new(7);
        let (file, _) = path.lay();
        assert!(destination_of(file).is_some());

        // Wherever the path ends: at null, and at an address that nothing has.
        for step in 0..4 {
            for end in [0, usize::MAX - 4095] {
                path.lay();
                path.0[step] = end;
                core::hint::black_box(&mut path);
                assert!(destination_of(file).is_none());
            }
        }
        assert!(destination_of(usize::MAX).is_none());
    }

    #[test]
    fn a_sender_is_for_no_other_device() {
        let mut path = Path::new(7);
        let (file, device) = path.lay();
        let sender = sender(file);

        assert!(sender.is_for(DeviceId::from_addr(device)));
        assert!(!sender.is_for(DeviceId::from_addr(device + 1)));
        assert!(!sender.is_for(DeviceId::from_addr(0)));
        let nowhere = Sender { to: None, ..sender };
        assert!(!nowhere.is_for(DeviceId::from_addr(device)));
        assert!(!nowhere.is_for(DeviceId::from_addr(0)));
        assert!(nowhere.queue().is_none());
    }
}
