// SPDX-License-Identifier: GPL-2.0

//! The publish and free protocol of the module, small enough to try every interleaving and every value that
//! a load may return. `Documentation/design/memory-model.md` has the proof that goes with it.
//!
//! Each model follows the code in `rust/kernel/` line by line. It takes a mutation: one step that it leaves out or
//! weakens. A test runs the model with each mutation and must find a fault, since a check that cannot fail shows
//! nothing.
//!
//! loom knows the memory model of C11, not the kernel's. `smp_wmb()` stands as a release fence, which is
//! more for loads before it, and there is none that matters; a `Full` exchange as one that acquires and
//! releases, which is less; an address dependency orders nothing here.

#[cfg(test)]
mod map;
#[cfg(test)]
mod published;
#[cfg(test)]
mod rcu;
#[cfg(test)]
mod seqlock;

/// Tries everything that at most three preemptions can make happen.
#[cfg(test)]
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}
