// SPDX-License-Identifier: GPL-2.0

//! RCU, as far as its callers can tell: a grace period ends after every reader that was there when it
//! began, and what a reader did comes before the end. As the user-space RCU library does it.

use loom::{
    cell::UnsafeCell,
    sync::atomic::{
        fence, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    },
    thread,
};

/// How many threads can be readers.
pub(crate) const READERS: usize = 2;

/// The readers: odd while they read.
pub(crate) struct Rcu([AtomicUsize; READERS]);

/// The read side lock of a reader.
pub(crate) struct Guard<'a>(&'a AtomicUsize);

impl Rcu {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicUsize::new(0)))
    }

    /// Only the thread that is reader number `who`.
    pub(crate) fn read_lock(&self, who: usize) -> Guard<'_> {
        let count = &self.0[who];
        count.store(count.load(Relaxed) + 1, Relaxed);
        fence(SeqCst);
        Guard(count)
    }

    pub(crate) fn synchronize(&self) {
        fence(SeqCst);
        for count in &self.0 {
            let seen = count.load(Acquire);
            while seen & 1 == 1 && count.load(Acquire) == seen {
                thread::yield_now();
            }
        }
        fence(SeqCst);
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // A model that has failed is not run any further.
        if std::thread::panicking() {
            return;
        }
        self.0.store(self.0.load(Relaxed) + 1, Release);
    }
}

/// Memory with a reference count. loom sees each read of it while it is written or freed.
pub(crate) struct Object {
    value: UnsafeCell<Option<u32>>,
    count: AtomicUsize,
}

impl Object {
    /// Allocated, and not written yet.
    pub(crate) fn new() -> Self {
        Self {
            value: UnsafeCell::new(None),
            count: AtomicUsize::new(1),
        }
    }

    /// By its only owner.
    pub(crate) fn init(&self, value: u32) {
        // SAFETY: loom checks that nobody else accesses it.
        self.value.with_mut(|place| unsafe { *place = Some(value) });
    }

    pub(crate) fn read(&self) -> u32 {
        // SAFETY: loom checks that nobody writes it.
        let value = self.value.with(|place| unsafe { *place });
        value.expect("neither freed nor uninitialised")
    }

    /// `Arc::clone()`
    pub(crate) fn get(&self) {
        assert_ne!(self.count.fetch_add(1, Relaxed), 0, "it was freed");
    }

    /// `drop(Arc)`
    pub(crate) fn put(&self) {
        match self.count.fetch_sub(1, AcqRel) {
            0 => panic!("freed twice"),
            // SAFETY: loom checks that nobody else accesses it.
            1 => self.value.with_mut(|place| unsafe { *place = None }),
            _ => (),
        }
    }
}
