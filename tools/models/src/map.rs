// SPDX-License-Identifier: GPL-2.0

//! `PointerMap` (`rust/kernel/pointer_map.rs`): an array of places that is replaced by a longer one, and an
//! entry that is taken out of it, while others read.
//!
//! There are two arrays, with one place of interest; the entry is in it at first.

use crate::{
    check,
    rcu::{Object, Rcu},
};
use loom::{
    sync::{
        atomic::{
            AtomicBool, AtomicUsize,
            Ordering::{AcqRel, Acquire, Relaxed},
        },
        Arc, Mutex,
    },
    thread,
};

/// What a model leaves out.
#[derive(Clone, Copy)]
struct Protocol {
    /// `changing` is held to change a place, and to copy them all.
    locked: bool,
    /// Who replaced an array waits before it is freed, and before a place is changed again.
    grown_waits: bool,
    /// `Removed::drop()` waits.
    removed_waits: bool,
}

const AS_IT_IS: Protocol = Protocol {
    locked: true,
    grown_waits: true,
    removed_waits: true,
};

struct Places {
    /// The memory of the array.
    memory: Object,
    /// Whether the entry is in its place.
    taken: AtomicBool,
}

struct Map {
    protocol: Protocol,
    rcu: Rcu,
    entry: Object,
    arrays: [Places; 2],
    /// Which of them is in force.
    places: AtomicUsize,
    changing: Mutex<()>,
}

impl Map {
    fn new(protocol: Protocol) -> Self {
        let map = Self {
            protocol,
            rcu: Rcu::new(),
            entry: Object::new(),
            arrays: [true, false].map(|taken| Places {
                memory: Object::new(),
                taken: AtomicBool::new(taken),
            }),
            places: AtomicUsize::new(0),
            changing: Mutex::new(()),
        };
        map.entry.init(7);
        map.arrays[0].memory.init(0);
        map
    }

    /// `get()`, and what its caller does with it.
    fn read(&self, who: usize) {
        let _reader = self.rcu.read_lock(who);
        let places = &self.arrays[self.places.load(Acquire)];
        places.memory.read();
        if places.taken.load(Acquire) {
            assert_eq!(self.entry.read(), 7);
        }
    }

    fn lock(&self) -> Option<loom::sync::MutexGuard<'_, ()>> {
        self.protocol.locked.then(|| self.changing.lock().unwrap())
    }

    /// `places_with()`, when there are not enough.
    fn grow(&self) {
        let _changing = self.lock();
        let [old, new] = &self.arrays;
        new.memory.init(1);
        new.taken.store(old.taken.load(Relaxed), Relaxed);
        assert_eq!(self.places.swap(1, AcqRel), 0);
        if self.protocol.grown_waits {
            self.rcu.synchronize();
        }
        old.memory.put();
    }

    /// `remove()`, and the drop of what it returns.
    fn remove(&self) {
        let removed = {
            let _changing = self.lock();
            let places = &self.arrays[self.places.load(Acquire)];
            let taken = places.taken.load(Relaxed);
            if taken {
                places.taken.store(false, Relaxed);
            }
            taken
        };
        if removed {
            if self.protocol.removed_waits {
                self.rcu.synchronize();
            }
            self.entry.put();
        }
    }

    /// Nobody finds what was freed.
    fn is_empty(&self) -> bool {
        !self.arrays[self.places.load(Acquire)].taken.load(Acquire)
    }
}

/// Two threads; the first is the one that frees the entry.
fn model(protocol: Protocol, first: fn(&Map), second: fn(&Map)) {
    check(move || {
        let map = Arc::new(Map::new(protocol));
        let other = {
            let map = map.clone();
            thread::spawn(move || second(&map))
        };
        first(&map);
        other.join().unwrap();
        assert!(map.is_empty());
    });
}

fn grow_and_remove(map: &Map) {
    map.grow();
    map.remove();
}

#[test]
fn one_of_two_removes() {
    model(AS_IT_IS, Map::remove, Map::remove);
}

#[test]
fn a_reader_has_a_living_entry() {
    model(AS_IT_IS, Map::remove, |map| map.read(1));
}

#[test]
fn a_reader_has_a_living_array() {
    model(AS_IT_IS, grow_and_remove, |map| map.read(1));
}

#[test]
fn an_entry_is_not_copied_when_it_is_removed() {
    model(AS_IT_IS, Map::remove, Map::grow);
}

#[test]
#[should_panic]
fn mutation_two_remove_without_the_lock() {
    let protocol = Protocol {
        locked: false,
        ..AS_IT_IS
    };
    model(protocol, Map::remove, Map::remove);
}

#[test]
#[should_panic]
fn mutation_copied_without_the_lock() {
    let protocol = Protocol {
        locked: false,
        ..AS_IT_IS
    };
    model(protocol, Map::remove, Map::grow);
}

#[test]
#[should_panic]
fn mutation_the_array_is_freed_before_its_readers() {
    let protocol = Protocol {
        grown_waits: false,
        ..AS_IT_IS
    };
    model(protocol, grow_and_remove, |map| map.read(1));
}

#[test]
#[should_panic]
fn mutation_the_entry_is_freed_before_its_readers() {
    let protocol = Protocol {
        removed_waits: false,
        ..AS_IT_IS
    };
    model(protocol, Map::remove, |map| map.read(1));
}
