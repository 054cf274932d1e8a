// SPDX-License-Identifier: GPL-2.0

//! `PointerMap::remove()` and `Removed` (`rust/kernel/pointer_map.rs`): an entry that two want to remove
//! while a third reads it.
//!
//! The table is one bucket, with the lock of a bucket; what rhashtable does to grow is not in it.

use crate::{
    check,
    rcu::{Object, Rcu},
};
use loom::{
    sync::{
        atomic::{
            AtomicUsize,
            Ordering::{Acquire, Release},
        },
        Arc, Mutex,
    },
    thread,
};

/// What a model leaves out.
#[derive(Clone, Copy)]
struct Protocol {
    /// `remove()` holds the read side lock from the first look-up to behind the second.
    guarded: bool,
    /// Only who took the entry out of the table frees it.
    one_winner: bool,
    /// `Removed::drop()` waits.
    waits: bool,
}

const AS_IT_IS: Protocol = Protocol {
    guarded: true,
    one_winner: true,
    waits: true,
};

struct Map {
    protocol: Protocol,
    rcu: Rcu,
    entry: Object,
    /// 1: the entry is in the bucket.
    bucket: AtomicUsize,
    lock: Mutex<()>,
}

impl Map {
    fn find(&self) -> Option<&Object> {
        (self.bucket.load(Acquire) == 1).then_some(&self.entry)
    }

    /// `pointer_map_remove()`: finds the bucket by the key in the node, and then the node in it.
    fn unlink(&self, entry: &Object) -> bool {
        entry.read();
        let _lock = self.lock.lock().unwrap();
        let found = self.find().is_some();
        if found {
            self.bucket.store(0, Release);
        }
        found
    }

    fn remove(&self, who: usize) -> Option<&Object> {
        let guard = self.rcu.read_lock(who);
        let guard = self.protocol.guarded.then_some(guard);
        let entry = self.find()?;
        let won = self.unlink(entry);
        drop(guard);
        (won || !self.protocol.one_winner).then_some(entry)
    }

    fn free(&self, entry: &Object) {
        if self.protocol.waits {
            self.rcu.synchronize();
        }
        entry.put();
    }
}

/// Two remove, or one reads while one removes.
fn model(protocol: Protocol, other_removes: bool) {
    check(move || {
        let map = Arc::new(Map {
            protocol,
            rcu: Rcu::new(),
            entry: Object::new(),
            bucket: AtomicUsize::new(1),
            lock: Mutex::new(()),
        });
        map.entry.init(7);
        let other = {
            let map = map.clone();
            thread::spawn(move || {
                if other_removes {
                    if let Some(entry) = map.remove(1) {
                        map.free(entry);
                    }
                    return;
                }
                let _guard = map.rcu.read_lock(1);
                if let Some(entry) = map.find() {
                    assert_eq!(entry.read(), 7);
                }
            })
        };
        if let Some(entry) = map.remove(0) {
            map.free(entry);
        }
        other.join().unwrap();
        assert!(map.find().is_none());
    });
}

#[test]
fn one_of_two_removes() {
    model(AS_IT_IS, true);
}

#[test]
fn a_reader_has_a_living_entry() {
    model(AS_IT_IS, false);
}

#[test]
#[should_panic]
fn mutation_looked_up_without_the_lock() {
    model(
        Protocol {
            guarded: false,
            ..AS_IT_IS
        },
        true,
    );
}

#[test]
#[should_panic]
fn mutation_both_free() {
    model(
        Protocol {
            one_winner: false,
            ..AS_IT_IS
        },
        true,
    );
}

#[test]
#[should_panic]
fn mutation_freed_before_the_readers() {
    model(
        Protocol {
            waits: false,
            ..AS_IT_IS
        },
        false,
    );
}
