// SPDX-License-Identifier: GPL-2.0

//! Control groups of version 2, as a way to tell apart who uses something.
//!
//! Not here: controllers, and the hierarchies of version 1.
//!
//! C header: [`include/linux/cgroup.h`](srctree/include/linux/cgroup.h)

use crate::kernel::{
    bindings,
    sync::rcu::Reader, //
};
use core::{
    marker::PhantomData,
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::{
    prelude::*,
    sync::rcu, //
};

/// Whether there is a cgroup besides the root: else all tasks are in that one.
pub(crate) fn any_but_root() -> bool {
    // SAFETY: It has no requirements: it reads a number in a static.
    unsafe { bindings::cgroup_root_has_descendants() }
}

/// The id of the current task's cgroup, of its thread if the cgroup is threaded; 0 in the root, and without cgroups.
pub(crate) fn id_of_current() -> u64 {
    let guard = rcu::read_lock();
    Lineage::of_current(&guard).next().unwrap_or(0)
}

/// A reference to a cgroup, which may have been removed by now.
///
/// # Invariants
///
/// The pointer is valid, and holds a reference.
pub(crate) struct Cgroup(NonNull<bindings::cgroup>);

// SAFETY: A cgroup belongs to no thread; references are counted atomically.
unsafe impl Send for Cgroup {}

// SAFETY: All methods only read what is constant or atomic.
unsafe impl Sync for Cgroup {}

/// A cgroup and those above it, without the root: their ids, from below.
///
/// # Invariants
///
/// `cgroup` is valid for `'a`, and `level` is at most its level, if it is not 0.
pub(crate) struct Lineage<'a> {
    cgroup: *mut bindings::cgroup,
    level: c_int,
    _cgroup: PhantomData<&'a Cgroup>,
}

impl<'a> Lineage<'a> {
    /// That of nobody.
    pub(crate) const fn none() -> Self {
        // INVARIANT: The level is 0.
        Self {
            cgroup: ptr::null_mut(),
            level: 0,
            _cgroup: PhantomData,
        }
    }

    /// That of the current task, of its thread if the cgroup is threaded.
    #[inline]
    pub(crate) fn of_current(_guard: &'a impl Reader) -> Self {
        // SAFETY: No grace period that begins now ends during `'a` (`Reader`), which is what an RCU reader is for.
        let cgroup = unsafe { bindings::current_cgroup() };
        if cgroup.is_null() {
            return Self::none();
        }
        // INVARIANT: The cgroup of the current task is freed after a grace period, which does not end during `'a`.
        Self {
            cgroup,
            // SAFETY: The cgroup is valid.
            level: unsafe { bindings::cgroup_level(cgroup) },
            _cgroup: PhantomData,
        }
    }

    /// That of a cgroup.
    pub(crate) fn of(cgroup: &'a Cgroup) -> Self {
        let cgroup = cgroup.0.as_ptr();
        // INVARIANT: `'a` borrows a reference to the cgroup.
        Self {
            cgroup,
            // SAFETY: By the type invariant of `Cgroup`, it is valid.
            level: unsafe { bindings::cgroup_level(cgroup) },
            _cgroup: PhantomData,
        }
    }
}

impl Iterator for Lineage<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        if self.level <= 0 {
            return None;
        }
        // SAFETY: By the type invariant, the cgroup is valid, and there is an ancestor at this level.
        let id = unsafe { bindings::cgroup_ancestor_id(self.cgroup, self.level) };
        // INVARIANT: The level becomes less.
        self.level -= 1;
        Some(id)
    }
}

/// The cgroup that the resources of the current task are charged to: of a threaded cgroup, its
/// domain. Null without control groups.
fn domain_of_current(_guard: &rcu::Guard) -> *mut bindings::cgroup {
    // SAFETY: `task_dfl_cgroup()` requires the RCU read side lock, under which the `css_set` of a task is not freed;
    // `_guard` holds it. The `css_set` keeps its cgroup, and that its domain, which is the same or an ancestor: both
    // are freed after a grace period.
    unsafe { bindings::current_domain_cgroup() }
}

impl Cgroup {
    /// The domain of the current task; `None` if it is just being removed, and without control groups.
    pub(crate) fn of_current(guard: &rcu::Guard) -> Option<Self> {
        let cgroup = NonNull::new(domain_of_current(guard))?;
        // SAFETY: The pointer must be to a cgroup that is not freed: `domain_of_current()` returns such a one for as
        // long as the RCU read side lock is held, which `guard` does.
        let referenced = unsafe { bindings::cgroup_tryget(cgroup.as_ptr()) };
        // INVARIANT: The reference was got just now.
        referenced.then_some(Self(cgroup))
    }

    /// The cgroup of the current task, or one above it, that has this id.
    pub(crate) fn above_current(id: u64, guard: &rcu::Guard) -> Option<Self> {
        let mut lineage = Lineage::of_current(guard);
        let level = loop {
            let level = lineage.level;
            if lineage.next()? == id {
                break level;
            }
        };
        // SAFETY: As in `Lineage::next()`: the cgroup has an ancestor at this level, while the guard lives.
        let cgroup = NonNull::new(unsafe { bindings::cgroup_ancestor(lineage.cgroup, level) })?;
        // SAFETY: The cgroup is valid while the RCU read side lock is held.
        let referenced = unsafe { bindings::cgroup_tryget(cgroup.as_ptr()) };
        // INVARIANT: The reference was got just now.
        referenced.then_some(Self(cgroup))
    }

    /// The cgroup with that id, if the current task's cgroup namespace has it.
    pub(crate) fn from_id(id: u64) -> Option<Self> {
        // SAFETY: No requirements.
        let cgroup = unsafe { bindings::cgroup_get_from_id(id) };
        // INVARIANT: A pointer that is not null comes with a reference.
        NonNull::new(cgroup).map(Self)
    }

    /// Whether there is no cgroup with that id any more; `false` too where the current task does not see all.
    pub(crate) fn is_surely_gone(id: u64) -> bool {
        // SAFETY: No requirements.
        let sees_all = unsafe { bindings::current_sees_all_cgroups() };
        sees_all && Self::from_id(id).is_none_or(|cgroup| cgroup.is_gone())
    }

    /// Whether it is the domain of the current task.
    pub(crate) fn is_that_of_current(&self, guard: &rcu::Guard) -> bool {
        // While the reference is held, no other cgroup has this address.
        self.0.as_ptr() == domain_of_current(guard)
    }

    /// Whether it has been removed (rmdir).
    pub(crate) fn is_gone(&self) -> bool {
        // SAFETY: By the type invariant the pointer is to a cgroup that is kept by a reference.
        !unsafe { bindings::cgroup_is_online(self.0.as_ptr()) }
    }

    /// Whether it is the root, in which everything is that nobody has put elsewhere.
    pub(crate) fn is_root(&self) -> bool {
        // SAFETY: It has no requirements: the pointer is compared, and not followed.
        unsafe { bindings::cgroup_is_root(self.0.as_ptr()) }
    }

    /// The inode number of its directory, which no other has had since boot.
    pub(crate) fn id(&self) -> u64 {
        // SAFETY: By the type invariant the pointer is to a cgroup that is kept by a reference.
        unsafe { bindings::cgroup_id(self.0.as_ptr()) }
    }

    /// Its path from the root of the current task's cgroup namespace, or what of it goes in.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn path(&self) -> Result<KVec<u8>> {
        let mut path = KVec::from_elem(0u8, bindings::PATH_MAX as usize, GFP_KERNEL)?;
        // SAFETY: The cgroup must be kept by a reference: it is, by the type invariant. The buffer must have as many
        // bytes, at least one: it has `PATH_MAX`. The cgroup namespace must stay while it is used: it is that of the
        // current task's `nsproxy`, which a task has to itself, and holds until it replaces it
        // (`switch_task_namespaces()`), which it does not do here.
        unsafe {
            bindings::cgroup_path_seen_by_current(
                self.0.as_ptr(),
                path.as_mut_ptr().cast::<c_char>(),
                path.len(),
            );
        }
        let end = path.iter().position(|byte| *byte == 0).unwrap_or(0);
        path.truncate(end);
        Ok(path)
    }
}

impl Clone for Cgroup {
    fn clone(&self) -> Self {
        // SAFETY: By the type invariant the pointer is to a cgroup that is kept by a reference.
        unsafe { bindings::cgroup_get(self.0.as_ptr()) };
        // INVARIANT: The reference was got just now.
        Self(self.0)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, this gives up the reference. It does not sleep.
        unsafe { bindings::cgroup_put(self.0.as_ptr()) };
    }
}
