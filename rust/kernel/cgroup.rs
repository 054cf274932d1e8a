// SPDX-License-Identifier: GPL-2.0

//! Control groups of version 2, as a way to tell apart who uses something.
//!
//! Not here: controllers, and the hierarchies of version 1.
//!
//! C header: [`include/linux/cgroup.h`](srctree/include/linux/cgroup.h)

use crate::kernel::bindings;
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::rcu, //
};

/// Whether there is a cgroup besides the root: else all tasks are in that one.
pub(crate) fn any_but_root() -> bool {
    // SAFETY: It has no requirements: it reads a number in a static.
    unsafe { bindings::cgroup_root_has_descendants() }
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
