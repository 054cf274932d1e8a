// SPDX-License-Identifier: GPL-2.0

//! Being told of modules that come and go.
//!
//! Not here: what becomes of a module in between.
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h)

use crate::kernel::bindings;
use core::marker::PhantomData;
use kernel::{
    container_of,
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// What wants to know.
pub(crate) trait Listener: Send + Sync {
    /// A module of that name is there, and is about to be initialised. May sleep.
    fn coming(&self, name: &CStr);

    /// A module of that name goes, or could not be initialised. It is still there. May sleep.
    fn going(&self, name: &CStr);
}

/// While this object lives, its listener is told.
///
/// # Invariants
///
/// `block` is registered, and in a `Subscription<L>`.
#[pin_data(PinnedDrop)]
pub(crate) struct Subscription<L: Listener> {
    #[pin]
    listener: L,
    #[pin]
    block: Opaque<bindings::notifier_block>,
    _listener: PhantomData<L>,
}

// SAFETY: The notifier chain does its own locking, and the listener is `Send`.
unsafe impl<L: Listener> Send for Subscription<L> {}

// SAFETY: The notifier chain does its own locking, and the listener is `Sync`.
unsafe impl<L: Listener> Sync for Subscription<L> {}

impl<L: Listener> Subscription<L> {
    /// Subscribes.
    ///
    /// # Errors
    ///
    /// Those of `listener`.
    pub(crate) fn new(listener: impl PinInit<L>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            listener <- listener,
            // INVARIANT: The initializer fails or registers the block, which is in a `Self`.
            block <- Opaque::try_ffi_init(|block: *mut bindings::notifier_block| {
                // SAFETY: `block` is valid for writes.
                unsafe {
                    block.write(bindings::notifier_block {
                        notifier_call: Some(Self::called),
                        ..Default::default()
                    })
                };
                // SAFETY: `block` is initialised, and pinned until it is unregistered.
                to_result(unsafe { bindings::register_module_notifier(block) })
            }),
            _listener: PhantomData,
        })
    }

    /// What is told.
    pub(crate) fn listener(&self) -> &L {
        &self.listener
    }

    /// # Safety
    ///
    /// Called by the chain of module notifiers, for a block in a `Self`.
    unsafe extern "C" fn called(
        block: *mut bindings::notifier_block,
        event: c_ulong,
        module: *mut c_void,
    ) -> c_int {
        let coming = bindings::module_state_MODULE_STATE_COMING as c_ulong;
        let going = bindings::module_state_MODULE_STATE_GOING as c_ulong;
        if event == coming || event == going {
            // SAFETY: By the safety requirement; unregistering waits for this call.
            let this = unsafe { &*container_of!(Opaque::cast_from(block), Self, block) };
            // SAFETY: `module` is valid during the call, and its name ends with a zero.
            let name = unsafe {
                CStr::from_char_ptr((&raw const (*module.cast::<bindings::module>()).name).cast())
            };
            if event == coming {
                this.listener.coming(name);
            } else {
                this.listener.going(name);
            }
        }
        bindings::NOTIFY_DONE as c_int
    }
}

#[pinned_drop]
impl<L: Listener> PinnedDrop for Subscription<L> {
    fn drop(self: Pin<&mut Self>) {
        // Waits for calls that are running.
        //
        // SAFETY: By the type invariant the block is registered.
        unsafe { bindings::unregister_module_notifier(self.block.get()) };
    }
}
