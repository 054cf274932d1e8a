// SPDX-License-Identifier: GPL-2.0

//! Synchronisation.

pub(crate) mod load;
pub(crate) mod rcu;
pub(crate) mod rcu_sched;
pub(crate) mod seqlock;
