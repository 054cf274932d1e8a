// SPDX-License-Identifier: GPL-2.0

//! Being told when a function is entered and left.
//!
//! Unlike [`super::ftrace`], this finds the function by its name, so that it may be static and in a module, and it
//! changes nothing about the call. A call may go unseen: when probes nest too deep, or when the
//! function was running already at registration.
//!
//! Not here: several functions, return values, data kept from entry to exit.
//!
//! C header: [`include/linux/fprobe.h`](srctree/include/linux/fprobe.h)

use crate::kernel::bindings;
use core::marker::PhantomData;
use kernel::{
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// What is told. The calls come in the context of the traced function, with preemption off.
pub(crate) trait Calls: 'static {
    /// The function was entered; `argument` is its first one. [`Self::leave`] follows in the same task, unless the
    /// probe goes meanwhile.
    fn enter(argument: usize);

    /// The function is about to return.
    fn leave();
}

/// While this object lives, `T` is told of the calls of a function.
///
/// # Invariants
///
/// `probe` is registered.
#[pin_data(PinnedDrop)]
pub(crate) struct Fprobe<T: Calls> {
    #[pin]
    probe: Opaque<bindings::fprobe>,
    _calls: PhantomData<T>,
}

// SAFETY: A registered fprobe may be unregistered from any thread; there is nothing else to do with it.
unsafe impl<T: Calls> Send for Fprobe<T> {}

// SAFETY: There is nothing to do with a shared `Fprobe`.
unsafe impl<T: Calls> Sync for Fprobe<T> {}

impl<T: Calls> Fprobe<T> {
    /// Registers a probe of the function `name`, of the kernel or of a module that is loaded.
    ///
    /// # Errors
    ///
    /// - `ENOENT`: there is no such function that can be traced.
    /// - `EOPNOTSUPP`: the kernel has no fprobes.
    /// - `ENOMEM`, and those of ftrace.
    pub(crate) fn new(name: &'static CStr) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // INVARIANT: The initializer fails or registers the probe.
            probe <- Opaque::try_ffi_init(move |probe: *mut bindings::fprobe| {
                // SAFETY: `probe` is valid for writes.
                unsafe {
                    probe.write(bindings::fprobe {
                        entry_handler: Some(Self::entered),
                        exit_handler: Some(Self::left),
                        ..Default::default()
                    })
                };
                // Not by register_fprobe(), which goes through all symbols of the kernel, twice.
                let mut names = [name.as_char_ptr()];
                // SAFETY: `probe` is initialised, and pinned until it is unregistered; the array has
                // one name, which ends with a zero.
                to_result(unsafe { bindings::register_fprobe_syms(probe, names.as_mut_ptr(), 1) })
            }),
            _calls: PhantomData,
        })
    }

    /// # Safety
    ///
    /// Called as the entry handler of a probe.
    unsafe extern "C" fn entered(
        _probe: *mut bindings::fprobe,
        _entry_ip: c_ulong,
        _ret_ip: c_ulong,
        regs: *mut bindings::ftrace_regs,
        _data: *mut c_void,
    ) -> c_int {
        // SAFETY: By the safety requirement `regs` are those at the entry.
        T::enter(unsafe { bindings::ftrace_regs_first_argument(regs) });
        // 0: tell of the exit too.
        0
    }

    /// # Safety
    ///
    /// Called as the exit handler of a probe.
    unsafe extern "C" fn left(
        _probe: *mut bindings::fprobe,
        _entry_ip: c_ulong,
        _ret_ip: c_ulong,
        _regs: *mut bindings::ftrace_regs,
        _data: *mut c_void,
    ) {
        T::leave();
    }
}

#[pinned_drop]
impl<T: Calls> PinnedDrop for Fprobe<T> {
    fn drop(self: Pin<&mut Self>) {
        // Waits for the handlers that are running.
        //
        // SAFETY: By the type invariant the probe is registered.
        unsafe { bindings::unregister_fprobe(self.probe.get()) };
        // The handlers run with preemption off; so, once all processors have been through the
        // scheduler, none is in our code any more.
        kernel::sync::rcu::synchronize_rcu();
    }
}
