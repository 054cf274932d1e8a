// SPDX-License-Identifier: GPL-2.0

//! Being told of modules that come and go.
//!
//! Not here: what becomes of a module in between.
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h)

use super::notifier::{
    self,
    Chain,
    Receiver, //
};
use crate::kernel::bindings;
use kernel::{
    error::to_result,
    prelude::*, //
};

/// What wants to know.
pub(crate) trait ModuleListener: Send + Sync {
    /// A module of that name is there, and is about to be initialised. May sleep.
    fn coming(&self, name: &CStr);

    /// A module of that name goes, or could not be initialised. It is still there. May sleep.
    fn going(&self, name: &CStr);
}

/// All modules.
#[derive(Clone, Copy)]
pub(crate) struct Modules;

/// While this object lives, its listener is told.
pub(crate) type ModuleSubscription<L> = notifier::Subscription<Modules, L>;

// SAFETY: It is a blocking notifier chain: calls and changes have its lock.
unsafe impl Chain for Modules {
    unsafe fn register(self, block: *mut bindings::notifier_block) -> Result {
        // SAFETY: By the safety requirement of `Chain` the block stays valid until it is unregistered.
        to_result(unsafe { bindings::register_module_notifier(block) })
    }

    unsafe fn unregister(self, block: *mut bindings::notifier_block) {
        // SAFETY: By the safety requirement of `Chain` the block is registered.
        unsafe { bindings::unregister_module_notifier(block) };
    }
}

impl<L: ModuleListener> Receiver<Modules> for L {
    unsafe fn receive(&self, event: c_ulong, module: *mut c_void) {
        let coming = bindings::module_state_MODULE_STATE_COMING as c_ulong;
        let going = bindings::module_state_MODULE_STATE_GOING as c_ulong;
        if event != coming && event != going {
            return;
        }
        // SAFETY: The chain tells of a module, which is valid during the call, and its name ends with a zero.
        let name = unsafe {
            CStr::from_char_ptr((&raw const (*module.cast::<bindings::module>()).name).cast())
        };
        if event == coming {
            self.coming(name);
        } else {
            self.going(name);
        }
    }
}
