// SPDX-License-Identifier: GPL-2.0

//! x86-64.

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
