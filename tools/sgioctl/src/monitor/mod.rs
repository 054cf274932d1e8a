// SPDX-License-Identifier: GPL-2.0

//! Decisions as the kernel makes them: its tracepoint, read and understood.

pub mod cgroup;
pub mod event;
pub mod instance;
pub mod report;
