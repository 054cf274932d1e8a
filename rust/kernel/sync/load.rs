// SPDX-License-Identifier: GPL-2.0

//! Loads that are no calls.
//!
//! The kernel crate's atomics are C functions, and calls of them where the kernel is built without
//! inlining its Rust helpers. On x86-64 a load has acquire ordering, so that all that is left of
//! `smp_load_acquire()` is a load that the compiler makes, and that it makes before what follows.
//!
//! C header: [`arch/x86/include/asm/barrier.h`](srctree/arch/x86/include/asm/barrier.h)

use crate::kernel::arch;
use kernel::sync::atomic::{
    Acquire,
    Atomic, //
};

/// What can be loaded in one piece.
pub(crate) trait Load {
    /// The type of the value.
    type Value;

    /// The value at this moment. What follows in the program sees what was written before the value.
    fn load_acquire(&self) -> Self::Value;

    /// The value at this moment, without an order.
    fn load_once(&self) -> Self::Value;
}

macro_rules! load {
    ($([$($generic:ident)?] $value:ty),*) => {$(
        impl$(<$generic>)? Load for Atomic<$value> {
            type Value = $value;

            #[inline(always)]
            fn load_acquire(&self) -> $value {
                if arch::LOADS_ARE_ACQUIRE {
                    let value = self.load_once();
                    // SAFETY: There is nothing in it. It may do anything to memory for all the
                    // compiler knows: this is barrier().
                    unsafe { core::arch::asm!("", options(nostack, preserves_flags)) };
                    value
                } else {
                    self.load(Acquire)
                }
            }

            #[inline(always)]
            fn load_once(&self) -> $value {
                // SAFETY: The pointer is valid and aligned. Writes are atomic, and a
                // volatile load of this size is one load: what READ_ONCE() is.
                unsafe { self.as_ptr().read_volatile() }
            }
        }
    )*};
}

load!([] u32, [] usize, [] bool, [T] *mut T);
