// SPDX-License-Identifier: GPL-2.0

//! Work that is done again and again, for as long as there is some.
//!
//! It is deferrable: an idle CPU is not woken up for it.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use crate::kernel::bindings;
use core::marker::PhantomData;
use kernel::{
    container_of,
    prelude::*,
    types::Opaque, //
};

/// What is to be done.
pub(crate) trait Work: 'static {
    /// After so many milliseconds, each time.
    const PERIOD_MS: u32;

    /// Does it, in process context. Returns whether to do it again.
    fn run() -> bool;
}

/// Work that is done while it has been started and says that there is more.
///
/// # Invariants
///
/// `work` is initialised with `Self::run`, and is in no queue after the object was dropped.
#[pin_data(PinnedDrop)]
pub(crate) struct Periodic<T: Work> {
    #[pin]
    work: Opaque<bindings::delayed_work>,
    _what: PhantomData<fn() -> T>,
}

// SAFETY: A `delayed_work` belongs to no thread, and `T` is no value.
unsafe impl<T: Work> Send for Periodic<T> {}

// SAFETY: The workqueue's functions lock what they change.
unsafe impl<T: Work> Sync for Periodic<T> {}

impl<T: Work> Periodic<T> {
    /// Not started.
    pub(crate) fn new() -> impl PinInit<Self> {
        // INVARIANT: The work is initialised here; the drop takes it out of its queue.
        pin_init!(Self {
            work <- Opaque::ffi_init(|work| {
                // SAFETY: `work` is valid for writes and pinned, and `run` has the type of a work function.
                unsafe { bindings::init_deferrable_work(work, Some(Self::run)) }
            }),
            _what: PhantomData,
        })
    }

    /// Has it done after its period, unless it waits for that already. Does not sleep.
    pub(crate) fn start(&self) {
        // SAFETY: By the type invariant the work is initialised; an object that `new()` made is pinned, and its drop waits for the work.
        unsafe { bindings::schedule_delayed_work(self.work.get(), T::PERIOD_MS) };
    }

    /// # Safety
    ///
    /// To be called by the workqueue, with the work of a `Periodic<T>`.
    unsafe extern "C" fn run(work: *mut bindings::work_struct) {
        if !T::run() {
            return;
        }
        // SAFETY: The work of a `Periodic` is that of a `delayed_work`.
        let delayed = unsafe { container_of!(work, bindings::delayed_work, work) };
        // SAFETY: It is initialised, and stays: who drops the object waits until this function has returned. From when
        // that began, this queues nothing.
        unsafe { bindings::schedule_delayed_work(delayed, T::PERIOD_MS) };
    }
}

#[pinned_drop]
impl<T: Work> PinnedDrop for Periodic<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariant the work is initialised. After this it is in no queue, does not run, and cannot
        // be queued again, not even by itself.
        unsafe { bindings::disable_delayed_work_sync(self.work.get()) };
    }
}

#[kunit_tests(sgio_filter_periodic)]
mod tests {
    use super::*;
    use kernel::{
        sync::atomic::{
            Atomic,
            Relaxed, //
        },
        time::{
            delay::fsleep,
            Delta, //
        },
    };

    static DONE: Atomic<u32> = Atomic::new(0);

    struct Thrice;

    impl Work for Thrice {
        const PERIOD_MS: u32 = 1;

        fn run() -> bool {
            DONE.fetch_add(1, Relaxed) + 1 < 3
        }
    }

    static ENDLESS: Atomic<u32> = Atomic::new(0);

    struct Endless;

    impl Work for Endless {
        const PERIOD_MS: u32 = 1;

        fn run() -> bool {
            ENDLESS.fetch_add(1, Relaxed);
            true
        }
    }

    fn wait_until(holds: impl Fn() -> bool) -> bool {
        (0..2000).any(|_| {
            fsleep(Delta::from_millis(5));
            holds()
        })
    }

    #[test]
    fn is_done_as_often_as_it_says() -> Result {
        let work = KBox::pin_init(Periodic::<Thrice>::new(), GFP_KERNEL)?;
        fsleep(Delta::from_millis(20));
        assert_eq!(DONE.load(Relaxed), 0);
        work.start();
        assert!(wait_until(|| DONE.load(Relaxed) == 3));
        fsleep(Delta::from_millis(50));
        assert_eq!(DONE.load(Relaxed), 3);
        // It can be started again.
        work.start();
        assert!(wait_until(|| DONE.load(Relaxed) == 4));
        Ok(())
    }

    #[test]
    fn is_not_done_after_the_drop() -> Result {
        let work = KBox::pin_init(Periodic::<Endless>::new(), GFP_KERNEL)?;
        work.start();
        assert!(wait_until(|| ENDLESS.load(Relaxed) > 2));
        drop(work);
        let done = ENDLESS.load(Relaxed);
        fsleep(Delta::from_millis(50));
        assert_eq!(ENDLESS.load(Relaxed), done);
        Ok(())
    }
}
