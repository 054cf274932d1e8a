// SPDX-License-Identifier: GPL-2.0

//! `SeqLock` (`rust/kernel/sync/seqlock.rs`): two places changed as one.
//!
//! The places are written relaxed: the lock must not depend on the writer ordering them itself.

use crate::check;
use loom::{
    hint,
    sync::{
        atomic::{
            fence, AtomicU32,
            Ordering::{self, Acquire, Relaxed, Release},
        },
        Arc, Mutex,
    },
    thread,
};

/// Fewer than the module's, to be done in time; the way to the lock is in it.
const TRIES: usize = 2;
const WRITES: u32 = 2;

/// What a model leaves out or weakens.
#[derive(Clone, Copy)]
struct Protocol {
    /// The load of the count in front.
    before: Ordering,
    /// The loads of the places.
    places: Ordering,
    /// The count is odd while it is written.
    odd: bool,
    /// `smp_mb(Write)` behind the odd count.
    barrier: bool,
    /// The store of the even count.
    even: Ordering,
    /// The reader looks at the count again.
    again: bool,
    /// Having tried often enough, it takes the lock.
    lock: bool,
}

const AS_IT_IS: Protocol = Protocol {
    before: Acquire,
    places: Acquire,
    odd: true,
    barrier: true,
    even: Release,
    again: true,
    lock: true,
};

struct Shared {
    protocol: Protocol,
    count: AtomicU32,
    lock: Mutex<()>,
    places: [AtomicU32; 2],
}

impl Shared {
    fn places(&self) -> [u32; 2] {
        [0, 1].map(|at: usize| self.places[at].load(self.protocol.places))
    }

    /// `SeqLock::read()`
    fn read(&self) -> [u32; 2] {
        for _ in 0..TRIES {
            let count = self.count.load(self.protocol.before);
            if count & 1 == 0 {
                let result = self.places();
                if !self.protocol.again || self.count.load(Relaxed) == count {
                    return result;
                }
            }
            hint::spin_loop();
        }
        let _lock = self.protocol.lock.then(|| self.lock.lock().unwrap());
        self.places()
    }

    /// `SeqLock::write()`
    fn write(&self, value: u32) {
        let _lock = self.lock.lock().unwrap();
        let count = self.count.load(Relaxed);
        if self.protocol.odd {
            self.count.store(count.wrapping_add(1), Relaxed);
        }
        if self.protocol.barrier {
            fence(Release);
        }
        for place in &self.places {
            place.store(value, Relaxed);
        }
        self.count.store(count.wrapping_add(2), self.protocol.even);
    }
}

fn model(protocol: Protocol) {
    check(move || {
        let shared = Arc::new(Shared {
            protocol,
            // The count wraps in between.
            count: AtomicU32::new(u32::MAX - 1),
            lock: Mutex::new(()),
            places: [AtomicU32::new(0), AtomicU32::new(0)],
        });
        let reader = {
            let shared = shared.clone();
            thread::spawn(move || {
                let [a, b] = shared.read();
                assert_eq!(a, b, "of two moments");
                a
            })
        };
        for value in 1..=WRITES {
            shared.write(value);
        }
        assert!(reader.join().unwrap() <= WRITES);
    });
}

#[test]
fn a_reader_sees_one_moment() {
    model(AS_IT_IS);
}

#[test]
#[should_panic]
fn mutation_relaxed_load_before() {
    model(Protocol {
        before: Relaxed,
        ..AS_IT_IS
    });
}

#[test]
#[should_panic]
fn mutation_relaxed_loads_of_the_places() {
    model(Protocol {
        places: Relaxed,
        ..AS_IT_IS
    });
}

#[test]
#[should_panic]
fn mutation_never_odd() {
    model(Protocol {
        odd: false,
        ..AS_IT_IS
    });
}

#[test]
#[should_panic]
fn mutation_no_barrier() {
    model(Protocol {
        barrier: false,
        ..AS_IT_IS
    });
}

#[test]
#[should_panic]
fn mutation_relaxed_even_count() {
    model(Protocol {
        even: Relaxed,
        ..AS_IT_IS
    });
}

#[test]
#[should_panic]
fn mutation_not_looked_at_again() {
    model(Protocol {
        again: false,
        ..AS_IT_IS
    });
}

#[test]
#[should_panic]
fn mutation_no_lock_in_the_end() {
    model(Protocol {
        lock: false,
        ..AS_IT_IS
    });
}
