// SPDX-License-Identifier: GPL-2.0

//! `RcuArc` and `Retired` (`rust/kernel/sync/rcu.rs`): a value replaced under readers.

use crate::{
    check,
    rcu::{Object, Rcu},
};
use loom::{
    sync::{
        atomic::{
            AtomicUsize,
            Ordering::{self, AcqRel, Acquire, Relaxed, Release},
        },
        Arc,
    },
    thread,
};

/// What a model leaves out or weakens.
#[derive(Clone, Copy)]
struct Protocol {
    load: Ordering,
    exchange: Ordering,
    /// `Retired::drop()` waits.
    waits: bool,
    /// `RcuArc::get()` takes its reference with the read side lock held.
    guarded: bool,
}

const AS_IT_IS: Protocol = Protocol {
    load: Acquire,
    exchange: AcqRel,
    waits: true,
    guarded: true,
};

struct Shared {
    rcu: Rcu,
    objects: [Object; 2],
    /// Which object is published.
    place: AtomicUsize,
}

impl Shared {
    /// `RcuArc::read()`
    fn reads(&self, protocol: Protocol) {
        let _guard = self.rcu.read_lock(0);
        let at = self.place.load(protocol.load);
        assert_eq!(self.objects[at].read(), 10 + at as u32);
    }

    /// `RcuArc::get()`, and a drop later
    fn keeps(&self, protocol: Protocol) {
        let guard = self.rcu.read_lock(0);
        let guard = protocol.guarded.then_some(guard);
        let at = self.place.load(protocol.load);
        self.objects[at].get();
        drop(guard);
        assert_eq!(self.objects[at].read(), 10 + at as u32);
        self.objects[at].put();
    }
}

/// What the other thread does.
#[derive(Clone, Copy)]
enum Reader {
    Reads,
    Keeps,
}

fn model(protocol: Protocol, what: Reader) {
    check(move || {
        let shared = Arc::new(Shared {
            rcu: Rcu::new(),
            objects: [Object::new(), Object::new()],
            place: AtomicUsize::new(0),
        });
        shared.objects[0].init(10);

        let reader = {
            let shared = shared.clone();
            thread::spawn(move || match what {
                Reader::Reads => shared.reads(protocol),
                Reader::Keeps => shared.keeps(protocol),
            })
        };
        // `RcuArc::replace()`, `Retired::drop()`
        shared.objects[1].init(11);
        let old = shared.place.swap(1, protocol.exchange);
        if protocol.waits {
            shared.rcu.synchronize();
        }
        shared.objects[old].put();

        reader.join().unwrap();
    });
}

#[test]
fn a_reader_sees_a_whole_and_living_value() {
    model(AS_IT_IS, Reader::Reads);
    model(AS_IT_IS, Reader::Keeps);
}

/// A release is all that the exchange needs here; the acquire half is for the next writer.
#[test]
fn a_release_would_do() {
    model(
        Protocol {
            exchange: Release,
            ..AS_IT_IS
        },
        Reader::Reads,
    );
}

#[test]
#[should_panic]
fn mutation_relaxed_load() {
    model(
        Protocol {
            load: Relaxed,
            ..AS_IT_IS
        },
        Reader::Reads,
    );
}

#[test]
#[should_panic]
fn mutation_relaxed_exchange() {
    model(
        Protocol {
            exchange: Relaxed,
            ..AS_IT_IS
        },
        Reader::Reads,
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
        Reader::Reads,
    );
}

#[test]
#[should_panic]
fn mutation_reference_taken_behind_the_lock() {
    model(
        Protocol {
            guarded: false,
            ..AS_IT_IS
        },
        Reader::Keeps,
    );
}
