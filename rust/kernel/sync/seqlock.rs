// SPDX-License-Identifier: GPL-2.0

//! Reading several values as of one moment.
//!
//! A small relative of `seqlock_t`: the writer counts before and after it writes, and a reader that
//! has seen the count change reads again; after some attempts, with the lock held, so that a reader
//! gets through however long the writer is held up (interrupts, a virtual CPU that does not run).
//!
//! Not here: writers in interrupts.
//!
//! C header: [`include/linux/seqlock.h`](srctree/include/linux/seqlock.h)

use super::load::Load;
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed,
            Release, //
        },
        barrier::{
            smp_mb,
            Write, //
        },
        SpinLock,
    }, //
};

/// How often a reader looks again before it takes the lock.
const TRIES: usize = 32;

/// A count of writes, odd while one is under way, and the lock that writers hold.
#[pin_data]
pub(crate) struct SeqLock {
    count: Atomic<u32>,
    #[pin]
    lock: SpinLock<()>,
}

impl SeqLock {
    /// Nothing was written yet.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            count: Atomic::new(0),
            lock <- new_spinlock!(()),
        })
    }

    /// What `read` returns when nothing is written while it runs. It may be called several times, and
    /// must read by loads with acquire ordering, so that they come before the load of the count
    /// behind it. It must not sleep.
    #[inline]
    pub(crate) fn read<R>(&self, read: impl Fn() -> R) -> R {
        for _ in 0..TRIES {
            if let Some(result) = self.try_read(&read) {
                return result;
            }
            core::hint::spin_loop();
        }
        self.read_locked(read)
    }

    /// What `read` returns, unless something is written while it runs. It must read as that of
    /// [`Self::read`] does.
    #[inline(always)]
    pub(crate) fn try_read<R>(&self, read: impl FnOnce() -> R) -> Option<R> {
        // Pairs with the release in `write()`: with an even count, all that was written is seen. An
        // odd one is made one that is not there below.
        let count = self.count.load_acquire() & !1;
        let result = read();
        // What was read, by acquire, was read before this. If any of it is of a write, the odd count
        // of that write, which came before (barrier in `write()`), is seen here at least. (Should
        // the write end in between: its even count is another one, too.)
        (self.count.load_once() == count).then_some(result)
    }

    #[cold]
    fn read_locked<R>(&self, read: impl Fn() -> R) -> R {
        let _lock = self.lock.lock();
        read()
    }

    /// Calls `write`, which writes and must not sleep.
    pub(crate) fn write<R>(&self, write: impl FnOnce() -> R) -> R {
        let _lock = self.lock.lock();
        let count = self.count.load(Relaxed);
        self.count.store(count.wrapping_add(1), Relaxed);
        // The count is odd before anything is written.
        smp_mb(Write);
        let result = write();
        self.count.store(count.wrapping_add(2), Release);
        result
    }
}

#[kunit_tests(sgio_filter_seqlock)]
mod tests {
    use super::*;

    #[test]
    fn reads_again_what_changed_meanwhile() -> Result {
        let lock = KBox::pin_init(SeqLock::new(), GFP_KERNEL)?;
        let times = Atomic::<u32>::new(0);
        let read = || times.fetch_add(1, Relaxed);
        assert_eq!(lock.read(read), 0);
        // The first reading is disturbed, the second is not.
        let value = lock.read(|| {
            let n = read();
            if n == 1 {
                lock.write(|| ());
            }
            n
        });
        assert_eq!(value, 2);
        Ok(())
    }

    #[test]
    fn gets_through_with_the_lock() -> Result {
        let lock = KBox::pin_init(SeqLock::new(), GFP_KERNEL)?;
        // As if a writer never ended; it does not hold the lock here.
        lock.count.store(1, Relaxed);
        assert_eq!(lock.read(|| 5), 5);
        Ok(())
    }
}
