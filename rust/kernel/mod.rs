// SPDX-License-Identifier: GPL-2.0

//! Abstractions that the kernel crate does not have (yet), shaped and named as if it had.
//!
//! Most of it knows nothing of the filter. Made for it are the layout of what it exchanges ([`trace`], [`uapi`]) and,
//! in [`scsi`], what takes the place of functions of the kernel, with the check of their callers (`callers.rs`).
//! Documentation/design/architecture.md lists these files. This is the only part of the module that may contain
//! `unsafe` code, and, since they are private to it, the only one that can use the bindings.

#[path = "../bindings/mod.rs"]
mod bindings;

mod arch;
pub(crate) mod audit;
pub(crate) mod block;
pub(crate) mod capability;
pub(crate) mod cgroup;
pub(crate) mod cred;
pub(crate) mod device;
pub(crate) mod driver_hook;
pub(crate) mod ftrace;
pub(crate) mod in_flight;
pub(crate) mod kobject;
pub(crate) mod module_events;
mod nofault;
mod notifier;
pub(crate) mod percpu;
pub(crate) mod periodic;
pub(crate) mod pointer_map;
pub(crate) mod ratelimit;
pub(crate) mod scsi;
pub(crate) mod symbol;
pub(crate) mod sync;
pub(crate) mod sysfs;
pub(crate) mod task;
pub(crate) mod trace;
pub(crate) mod uapi;
