// SPDX-License-Identifier: GPL-2.0

//! x86-64.

#[allow(unused_imports)] // by a configuration for which there is nothing special
use crate::kernel::bindings;
#[allow(unused_imports)] // the same
use core::arch::asm;
use kernel::prelude::*;

/// Code that ftrace may call at the beginning of one certain function (`rust/kernel/arch/x86_trampolines.c`).
#[derive(Clone, Copy)]
pub(crate) struct Trampoline(*const c_void);

#[cfg(CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)]
extern "C" {
    fn sgio_sg_ioctl_trampoline();
    fn sgio_blk_execute_rq_nowait_trampoline();
}

impl Trampoline {
    /// That of `sg_ioctl()`: an SG_IO on a file that is not open for both reading and writing goes to `sgio_sg_ioctl()`
    /// instead, unless `sgio_sg_ioctl_goes_on()` says that it goes on.
    pub(crate) fn of_sg_ioctl() -> Option<Self> {
        #[cfg(CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)]
        return Some(Self(sgio_sg_ioctl_trampoline as *const c_void));
        #[cfg(not(CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS))]
        None
    }

    /// That of `blk_execute_rq_nowait()`: a request that ends by the function in `sgio_sg_rq_end_io` is not executed unless
    /// `sgio_sg_request_goes_on()` says that it goes on.
    pub(crate) fn of_blk_execute_rq_nowait() -> Option<Self> {
        #[cfg(CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)]
        return Some(Self(sgio_blk_execute_rq_nowait_trampoline as *const c_void));
        #[cfg(not(CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS))]
        None
    }

    /// Its address.
    pub(crate) fn as_ptr(self) -> *const c_void {
        self.0
    }
}

/// The targets of the calls and jumps in `text`, which is at the address `at`, as far as their distance has 32 bits; `None`
/// where an architecture cannot tell.
///
/// Instructions are not decoded: each byte may be the opcode. So there are addresses among the results that nothing jumps
/// to; one of them is that of a given function once in four billion bytes.
pub(crate) fn branch_targets(at: usize, text: &[u8]) -> Option<impl Iterator<Item = usize> + '_> {
    const LEN: usize = 1 + size_of::<i32>();

    let target = move |(offset, instruction): (usize, &[u8])| {
        let (opcode, distance) = instruction.split_first()?;
        let is_branch = match *opcode {
            // call, jmp
            0xe8 | 0xe9 => true,
            // The second byte of a conditional jump.
            0x80..=0x8f => text.get(offset.checked_sub(1)?) == Some(&0x0f),
            _ => false,
        };
        let distance = i32::from_le_bytes(distance.try_into().ok()?);
        let next = at.wrapping_add(offset + LEN);
        is_branch.then(|| next.wrapping_add_signed(distance as isize))
    };
    Some(text.windows(LEN).enumerate().filter_map(target))
}

/// Whether a load has acquire ordering by itself.
pub(crate) const LOADS_ARE_ACQUIRE: bool = true;

/// Whether an object is on the stack of the current task.
#[cfg(all(CONFIG_SMP, CONFIG_THREAD_INFO_IN_TASK))]
#[inline(always)]
pub(crate) fn is_on_stack(object: *const u8) -> bool {
    let stack: usize;
    // SAFETY: It loads two words. The first is `const_current_task`, a per-CPU variable (relative to %gs,
    // CONFIG_SMP): the address of the `task_struct` of the task that runs here. That is valid as long as the task
    // runs, also if it is moved to another CPU before the second load, of the field `stack` in it. Neither value
    // changes in that time, as `pure` asks for; nothing is written.
    unsafe {
        asm!(
            "mov {stack}, qword ptr gs:[rip + {current}]",
            "mov {stack}, qword ptr [{stack} + {offset}]",
            stack = out(reg) stack,
            current = sym bindings::const_current_task,
            offset = const core::mem::offset_of!(bindings::task_struct, stack),
            options(nostack, pure, readonly, preserves_flags),
        );
    }
    object.addr().wrapping_sub(stack) < bindings::SGIO_THREAD_SIZE as usize
}
#[cfg(not(all(CONFIG_SMP, CONFIG_THREAD_INFO_IN_TASK)))]
pub(crate) use super::generic::is_on_stack;

/// Adds one to this CPU's part of the counter `index` of those from `first` on, in one instruction, so that
/// nothing else on this CPU can come between: what `this_cpu_inc()` is, where a per-CPU pointer is relative to %gs.
///
/// # Safety
///
/// `first` is a per-CPU pointer to an array of more than `index` counters.
#[cfg(CONFIG_SMP)]
#[inline(always)]
pub(crate) unsafe fn this_cpu_inc(first: *mut u64, index: usize) {
    // SAFETY: By the safety requirement there is a counter `index` at `first`: relative to %gs, it is
    // this CPU's counter, of eight bytes. Nothing else is written to.
    unsafe {
        asm!(
            "inc qword ptr gs:[{first} + {index} * 8]",
            first = in(reg) first,
            index = in(reg) index,
            options(nostack),
        )
    };
}
#[cfg(not(CONFIG_SMP))]
pub(crate) use super::generic::this_cpu_inc;

/// The same for a counter by itself.
///
/// # Safety
///
/// `counter` is a valid per-CPU pointer.
#[cfg(CONFIG_SMP)]
#[inline(always)]
pub(crate) unsafe fn this_cpu_inc_one(counter: *mut u64) {
    // SAFETY: By the safety requirement `counter` is a valid per-CPU pointer: relative to %gs, it
    // is this CPU's counter, of eight bytes. Nothing else is written to.
    unsafe { asm!("inc qword ptr gs:[{}]", in(reg) counter, options(nostack)) };
}
#[cfg(not(CONFIG_SMP))]
pub(crate) use super::generic::this_cpu_inc_one;

/// What `preempt_disable()` and `preempt_enable()` are, in a kernel that traces neither and has no lockdep to tell.
#[cfg(all(
    CONFIG_SMP,
    CONFIG_PREEMPTION,
    CONFIG_HAS_SEPARATE_PREEMPT_RESCHED_BITS,
    not(CONFIG_DEBUG_LOCK_ALLOC),
    not(CONFIG_DEBUG_PREEMPT),
    not(CONFIG_TRACE_PREEMPT_TOGGLE),
))]
mod preempt {
    use crate::kernel::bindings;
    use core::arch::asm;

    /// Begins an RCU reader with preemption off.
    #[inline(always)]
    pub(crate) fn rcu_sched_lock() {
        // SAFETY: This is preempt_disable(): the count of this CPU, with a barrier for the compiler,
        // which the assembly is since it may touch memory.
        unsafe {
            asm!(
                "inc qword ptr gs:[rip + {count}]",
                count = sym bindings::__preempt_count,
                options(nostack),
            );
        }
    }

    /// Ends it, and returns whether the task is to be rescheduled, which is left to the caller.
    ///
    /// # Safety
    ///
    /// Called once for a [`rcu_sched_lock`].
    #[inline(always)]
    pub(crate) unsafe fn rcu_sched_unlock() -> bool {
        // SAFETY: This is preempt_enable(), for one rcu_sched_lock(), but for the call that is left to the
        // caller: the count becomes 0 if nobody else has preemption off and the task is to be
        // rescheduled (that bit is inverted).
        unsafe {
            asm!(
                "dec qword ptr gs:[rip + {count}]",
                "jz {due}",
                count = sym bindings::__preempt_count,
                due = label { return true },
                options(nostack),
            );
        }
        false
    }
}
#[cfg(not(all(
    CONFIG_SMP,
    CONFIG_PREEMPTION,
    CONFIG_HAS_SEPARATE_PREEMPT_RESCHED_BITS,
    not(CONFIG_DEBUG_LOCK_ALLOC),
    not(CONFIG_DEBUG_PREEMPT),
    not(CONFIG_TRACE_PREEMPT_TOGGLE),
)))]
use super::generic as preempt;
pub(crate) use preempt::{
    rcu_sched_lock,
    rcu_sched_unlock, //
};

#[kunit_tests(sgio_filter_arch)]
mod tests {
    use super::*;

    fn targets(text: &[u8]) -> Result<KVec<usize>> {
        let mut all = KVec::new();
        for target in branch_targets(0x1000, text).ok_or(EINVAL)? {
            all.push(target, GFP_KERNEL)?;
        }
        Ok(all)
    }

    #[test]
    fn calls_and_jumps_are_found() -> Result {
        // nop; call +0x10; jmp -0x10; jne +0x20; ret
        let text = [
            0x90, 0xe8, 0x10, 0, 0, 0, 0xe9, 0xf0, 0xff, 0xff, 0xff, 0x0f, 0x85, 0x20, 0, 0, 0,
            0xc3,
        ];
        assert!(targets(&text)?[..] == [0x1016, 0xffb, 0x1031]);
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_no_call() -> Result {
        assert!(targets(&[])?.is_empty());
        assert!(targets(&[0xe8, 0, 0, 0])?.is_empty());
        // An indirect call, and a call that is not at the beginning.
        assert!(targets(&[0xff, 0xd0, 0xc3, 0x90, 0x90, 0x90])?.is_empty());
        // A comparison with a byte, which has the second opcode of a conditional jump.
        assert!(targets(&[0x80, 0x7f, 0x10, 0, 0, 0])?.is_empty());
        Ok(())
    }
}
