// SPDX-License-Identifier: GPL-2.0

//! A hook in a driver that may be a module: it is armed when the driver comes, and disarmed before it goes.

use super::module_events::{
    ModuleListener,
    ModuleSubscription, //
    Modules,
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::Mutex, //
};

/// A hook in a driver.
pub(crate) trait DriverHook: Send + Sync + Sized + 'static {
    /// The name of the driver's module.
    const DRIVER: &'static CStr;

    /// Arms the hook; dropping it disarms it.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the driver is not there, or goes.
    ///
    /// # Safety
    ///
    /// What is made is dropped before the driver goes: addresses of its functions are kept, and may be another's then.
    unsafe fn new() -> impl PinInit<Self, Error>;
}

enum HookState<H> {
    Absent,
    Failed(Error),
    /// It is not to be armed any more.
    Closed,
    Armed {
        _hook: Pin<KBox<H>>,
    },
}

#[pin_data]
struct Driver<H> {
    #[pin]
    state: Mutex<HookState<H>>,
}

/// While this object lives, the hook is armed whenever the driver is there.
#[pin_data(PinnedDrop)]
pub(crate) struct Watch<H: DriverHook> {
    #[pin]
    modules: ModuleSubscription<Driver<H>>,
}

impl<H: DriverHook> Driver<H> {
    fn arm(&self) -> Result {
        let mut state = self.state.lock();
        if matches!(*state, HookState::Armed { .. } | HookState::Closed) {
            return Ok(());
        }
        // SAFETY: `going()` drops it before the driver goes: it is called for as long as this state is not `Closed`, which
        // it becomes, without a hook, before modules are listened to no more. If the driver goes already, `H::new()` does
        // not find it.
        match KBox::pin_init(unsafe { H::new() }, GFP_KERNEL) {
            Ok(hook) => *state = HookState::Armed { _hook: hook },
            Err(ENOENT) => *state = HookState::Absent,
            Err(e) => {
                pr_err!("{}: the driver cannot be hooked ({:?})\n", H::DRIVER, e);
                *state = HookState::Failed(e);
                return Err(e);
            }
        }
        Ok(())
    }

    fn disarm(&self) {
        let mut state = self.state.lock();
        if !matches!(*state, HookState::Closed) {
            *state = HookState::Absent;
        }
    }

    fn close(&self) {
        *self.state.lock() = HookState::Closed;
    }
}

impl<H: DriverHook> ModuleListener for Driver<H> {
    fn coming(&self, name: &CStr) {
        if name == H::DRIVER {
            // An error is in the log, and `armed()` returns it.
            let _ = self.arm();
        }
    }

    fn going(&self, name: &CStr) {
        if name == H::DRIVER {
            self.disarm();
        }
    }
}

impl<H: DriverHook> Watch<H> {
    /// Begins. That the hook cannot be armed now is no error: see [`Self::armed`].
    ///
    /// # Errors
    ///
    /// Those of [`ModuleSubscription::new`].
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            modules <- ModuleSubscription::new(Modules, pin_init!(Driver {
                state <- new_mutex!(HookState::Absent),
            })),
        })
        .pin_chain(|this: Pin<&mut Self>| {
            // An error is in the log, and `armed()` returns it.
            let _ = this.modules.listener().arm();
            Ok(())
        })
    }

    /// Whether the hook is armed: `None` if the driver is not there.
    ///
    /// # Errors
    ///
    /// Why it could not be armed.
    pub(crate) fn armed(&self) -> Option<Result> {
        match &*self.modules.listener().state.lock() {
            HookState::Absent | HookState::Closed => None,
            HookState::Failed(e) => Some(Err(*e)),
            HookState::Armed { .. } => Some(Ok(())),
        }
    }
}

#[pinned_drop]
impl<H: DriverHook> PinnedDrop for Watch<H> {
    fn drop(self: Pin<&mut Self>) {
        self.modules.listener().close();
    }
}
