// SPDX-License-Identifier: GPL-2.0

//! Being told by a notifier chain whose listeners may sleep.
//!
//! Not here: atomic and raw chains; a listener that stops the chain.
//!
//! C header: [`include/linux/notifier.h`](srctree/include/linux/notifier.h)

use crate::kernel::bindings;
use kernel::{
    container_of,
    prelude::*,
    types::Opaque, //
};

/// A chain.
///
/// # Safety
///
/// From the registration of a block on, until its unregistration has returned, the chain calls the block's function, from
/// any thread, and never else; unregistration waits for calls that are under way.
pub(crate) unsafe trait Chain: Copy + Send + Sync {
    /// Registers a block.
    ///
    /// # Errors
    ///
    /// Those of the chain.
    ///
    /// # Safety
    ///
    /// `block` is initialised, not registered, and pinned until it is unregistered.
    unsafe fn register(self, block: *mut bindings::notifier_block) -> Result;

    /// Unregisters it.
    ///
    /// # Safety
    ///
    /// `block` is registered.
    unsafe fn unregister(self, block: *mut bindings::notifier_block);
}

/// What is told by a chain `C`. Calls may come in parallel.
pub(crate) trait Receiver<C: Chain>: Send + Sync {
    /// # Safety
    ///
    /// Called by the chain, with what it tells.
    unsafe fn receive(&self, event: c_ulong, data: *mut c_void);
}

/// While this object lives, its receiver is told.
///
/// # Invariants
///
/// `block` is registered with `chain`, and in a `Subscription<C, R>`.
#[pin_data(PinnedDrop)]
pub(crate) struct Subscription<C: Chain, R: Receiver<C>> {
    #[pin]
    receiver: R,
    #[pin]
    block: Opaque<bindings::notifier_block>,
    chain: C,
}

// SAFETY: The chain does its own locking, and the receiver is `Send`.
unsafe impl<C: Chain, R: Receiver<C>> Send for Subscription<C, R> {}

// SAFETY: The chain does its own locking, and the receiver is `Sync`.
unsafe impl<C: Chain, R: Receiver<C>> Sync for Subscription<C, R> {}

impl<C: Chain, R: Receiver<C>> Subscription<C, R> {
    /// Subscribes to `chain`.
    ///
    /// # Errors
    ///
    /// Those of [`Chain::register`] and of `receiver`.
    pub(crate) fn new(chain: C, receiver: impl PinInit<R>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // Before the registration, which calls it.
            receiver <- receiver,
            // INVARIANT: The initializer fails or registers the block, which is in a `Self`.
            block <- Opaque::try_ffi_init(move |block: *mut bindings::notifier_block| {
                // SAFETY: `block` is valid for writes and pinned until it is unregistered.
                unsafe {
                    block.write(bindings::notifier_block {
                        notifier_call: Some(Self::called),
                        ..Default::default()
                    });
                    chain.register(block)
                }
            }),
            chain,
        })
    }

    /// What is told.
    pub(crate) fn listener(&self) -> &R {
        &self.receiver
    }

    /// # Safety
    ///
    /// Called by the chain that [`Self::new`] subscribed to, with the `block` of that `Self`.
    unsafe extern "C" fn called(
        block: *mut bindings::notifier_block,
        event: c_ulong,
        data: *mut c_void,
    ) -> c_int {
        // SAFETY: By the safety requirement `block` is that of a `Self`, which is pinned, and lives until the block has been
        // unregistered, which waits for this call.
        let this = unsafe { &*container_of!(Opaque::cast_from(block), Self, block) };
        // SAFETY: By the safety requirement `event` and `data` are what the chain tells.
        unsafe { this.receiver.receive(event, data) };
        bindings::NOTIFY_DONE as c_int
    }
}

#[pinned_drop]
impl<C: Chain, R: Receiver<C>> PinnedDrop for Subscription<C, R> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariant the block is registered.
        unsafe { self.chain.unregister(self.block.get()) };
    }
}
