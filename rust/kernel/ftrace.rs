// SPDX-License-Identifier: GPL-2.0

//! Sending the callers of a kernel function to another function.
//!
//! Where the architecture has it (`CONFIG_DYNAMIC_FTRACE_WITH_JMP`), by an ftrace direct call that is
//! a jump: the first instruction of the function becomes `jmp replacement`, and nothing else runs. Where some
//! calls only are redirected, it is a call of a few instructions that choose ([`Trampoline`]).
//! Elsewhere by livepatch's mechanism, an ftrace handler with `FTRACE_OPS_FL_IPMODIFY` that changes
//! the address at which the traced function goes on. A function can have one direct call, and one such handler. A
//! direct call of this module and a handler of another exclude each other (EBUSY); a handler of this module and the
//! direct call of a BPF program do not, since BPF can share a function with a handler.
//!
//! Not here: tracing, filters by name.
//!
//! C header: [`include/linux/ftrace.h`](srctree/include/linux/ftrace.h)

use crate::kernel::{
    arch::Trampoline,
    bindings, //
};
use kernel::{
    error::to_result,
    prelude::*,
    sync::rcu,
    time::{
        delay::fsleep,
        Delta, //
    },
    types::Opaque, //
};

// Without it ftrace_regs_set_instruction_pointer() does nothing.
#[cfg(not(CONFIG_DYNAMIC_FTRACE_WITH_ARGS))]
compile_error!("CONFIG_DYNAMIC_FTRACE_WITH_ARGS is needed");

/// Whether the function jumps or calls directly where it can, rather than by way of a handler. `sgio_filter_handler` is
/// for tests of the latter on a kernel that has both.
const DIRECT: bool = !cfg!(sgio_filter_handler);

/// While this object lives, calls of one function arrive at another.
///
/// # Invariants
///
/// `ops` is registered, and its filter holds the redirected function alone.
#[pin_data(PinnedDrop)]
pub(crate) struct Redirect {
    #[pin]
    ops: Opaque<bindings::ftrace_ops>,
}

/// What becomes of the first instruction of a function.
#[derive(Clone, Copy)]
enum Entry {
    /// A jump to a function.
    Jump(*const c_void),
    /// A call of a trampoline.
    Call(Trampoline),
    /// A call of ftrace, which calls a handler, with the address of a function.
    Handler(Handler, *const c_void),
}

// SAFETY: A registered `ftrace_ops` may be unregistered from any thread.
unsafe impl Send for Redirect {}

// SAFETY: There is nothing to do with a shared `Redirect`.
unsafe impl Sync for Redirect {}

/// `ftrace_func_t`.
type Handler =
    unsafe extern "C" fn(c_ulong, c_ulong, *mut bindings::ftrace_ops, *mut bindings::ftrace_regs);

/// A [`Handler`]; `ops->private` is the address to go on at.
///
/// It writes one register and calls nothing that could be traced, so that it needs no protection
/// against recursion. (Rust code carries no ftrace calls itself.)
///
/// # Safety
///
/// Called by ftrace, for the `ops` of a [`Redirect`] that has registered this handler.
unsafe extern "C" fn go_on_at_replacement(
    _ip: c_ulong,
    _parent_ip: c_ulong,
    ops: *mut bindings::ftrace_ops,
    fregs: *mut bindings::ftrace_regs,
) {
    // SAFETY: By the safety requirement `ops` is that of a `Redirect`: it is pinned, outlives the registration, and does not
    // change during it.
    let to = unsafe { (*ops).private };
    // SAFETY: `fregs` is valid for the duration of the handler, which may set the instruction
    // pointer because of `FTRACE_OPS_FL_IPMODIFY`.
    unsafe { bindings::ftrace_regs_set_instruction_pointer(fregs, to as c_ulong) };
}

/// The same, but leaves the calls from this module alone.
///
/// # Safety
///
/// Called by ftrace, for the `ops` of a [`Redirect`] that has registered this handler.
unsafe extern "C" fn go_on_at_replacement_for_others(
    ip: c_ulong,
    parent_ip: c_ulong,
    ops: *mut bindings::ftrace_ops,
    fregs: *mut bindings::ftrace_regs,
) {
    // SAFETY: The helper has no requirements.
    if !unsafe { bindings::is_in_this_module(parent_ip) } {
        // SAFETY: By the safety requirement ftrace has called this, with these arguments.
        unsafe { go_on_at_replacement(ip, parent_ip, ops, fregs) };
    }
}

/// Selects the calls of one function that are redirected.
pub(crate) trait CallFilter: 'static {
    /// Whether a call with this first argument arrives at the replacement. Called by ftrace when the function
    /// is entered: it must call nothing, since all that is called may be traced, but loads and compares.
    ///
    /// # Safety
    ///
    /// `first_argument` is that of a call of the function that the filter is for, which has just been entered.
    unsafe fn selects(first_argument: usize) -> bool;

    /// Code that selects by itself, which is called instead where there is any.
    fn trampoline() -> Option<Trampoline>;
}

/// The same, but leaves the calls alone that `T` does not select.
///
/// # Safety
///
/// Called by ftrace, for the `ops` of a [`Redirect`] that has registered this handler, of the function that `T` is for.
unsafe extern "C" fn go_on_at_replacement_if<T: CallFilter>(
    ip: c_ulong,
    parent_ip: c_ulong,
    ops: *mut bindings::ftrace_ops,
    fregs: *mut bindings::ftrace_regs,
) {
    // SAFETY: By the safety requirement `fregs` are those at the entry.
    let first_argument = unsafe { bindings::ftrace_regs_first_argument(fregs) };
    // SAFETY: By the safety requirement the function that `T` is for has just been entered; this is the register with
    // its first argument.
    if unsafe { T::selects(first_argument) } {
        // SAFETY: By the safety requirement ftrace has called this, with these arguments.
        unsafe { go_on_at_replacement_for_others(ip, parent_ip, ops, fregs) };
    }
}

/// Waits until each task has been seen in user space or asleep. Sleeps.
pub(crate) fn wait_for_tasks() {
    // SAFETY: There is nothing that must be valid. It sleeps, which an RCU reader must not (`Reader` in sync/rcu.rs),
    // nor a holder of a spinlock. It is called where redirections are dropped, by a task that loads or unloads a
    // module, or reads or writes a file of this one: none of them is a reader or holds a spinlock then. As in the
    // kernel crate, the types do not prove it.
    unsafe { bindings::synchronize_rcu_tasks() };
}

impl Redirect {
    /// Redirects the calls of the function at `from`, which has the name `name`, to the function at
    /// `to`. Why it cannot be done, if so, is said in the kernel log.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: ftrace knows no function that starts at `from` (it was built without, or it is
    ///   marked `notrace`).
    /// - `EBUSY`: the function has another user already (a livepatch or another IPMODIFY user; for a direct call also
    ///   a BPF program attached to its entry or exit), or ftrace is switched off (`kernel.ftrace_enabled`).
    /// - `ENODEV`: ftrace has been disabled or has shut itself down.
    /// - `ENOMEM`.
    ///
    /// # Safety
    ///
    /// `to` is the address of a function with the signature and the calling convention of the one
    /// at `from`, sound to be called wherever that one is. It may be called until this object is
    /// dropped, and it must not block for something that the dropping thread holds. Where spinlocks
    /// sleep (`CONFIG_PREEMPT_RT`), it takes them as an RCU reader only.
    pub(crate) unsafe fn new(
        name: &'static CStr,
        from: *const c_void,
        to: *const c_void,
    ) -> impl PinInit<Self, Error> {
        // SAFETY: It looks at the number only.
        let can_jump = unsafe { bindings::is_for_ftrace_jump(to as c_ulong) };
        let entry = if DIRECT && can_jump {
            Entry::Jump(to)
        } else {
            Entry::Handler(go_on_at_replacement, to)
        };
        // SAFETY: By the safety requirement what is at `to` can be called in place of the function at `from`; neither the jump
        // nor the handler does anything else.
        unsafe { Self::by(entry, None, name, from) }
    }

    /// The same, but calls from this module arrive at the function itself. (A call in tail position
    /// is one from the caller's caller.) Always by a handler.
    ///
    /// # Errors
    ///
    /// Those of [`Self::new`].
    ///
    /// # Safety
    ///
    /// That of [`Self::new`], but the function may block; dropping this object then waits
    /// for it.
    pub(crate) unsafe fn with_original(
        name: &'static CStr,
        from: *const c_void,
        to: *const c_void,
    ) -> impl PinInit<Self, Error> {
        let entry = Entry::Handler(go_on_at_replacement_for_others, to);
        // SAFETY: By the safety requirement what is at `to` can be called in place of the function at `from`, and the handler
        // leaves calls from this module alone.
        unsafe { Self::by(entry, None, name, from) }
    }

    /// The same, for the calls that `T` selects. The function at `from` may go before this object is dropped, if
    /// it is not called any more then.
    ///
    /// A function can have one trampoline only, and a BPF program is one. If it has one already, there is a handler, which
    /// can be beside it.
    ///
    /// # Errors
    ///
    /// Those of [`Self::new`].
    ///
    /// # Safety
    ///
    /// That of [`Self::with_original`]. `T` is for the function at `from`. The trampoline, if there is one, is that of
    /// the function at `from`, and what it calls meets the same.
    pub(crate) unsafe fn with_original_if<T: CallFilter>(
        name: &'static CStr,
        from: *const c_void,
        to: *const c_void,
    ) -> impl PinInit<Self, Error> {
        let handler = Entry::Handler(go_on_at_replacement_if::<T>, to);
        let (first, second) = match T::trampoline().filter(|_| DIRECT) {
            Some(trampoline) => (Entry::Call(trampoline), Some(handler)),
            None => (handler, None),
        };
        // SAFETY: By the safety requirement what is at `to`, and the trampoline, can be called in place of the function at
        // `from`. Both leave calls from this module alone: the handler by their address, the trampoline by what it asks.
        unsafe { Self::by(first, second, name, from) }
    }

    /// Redirects by the first kind of entry; if the function has one of that kind already, by the second.
    ///
    /// # Safety
    ///
    /// That of [`Self::new`], or of [`Self::with_original`] with a handler that leaves calls from this module alone.
    unsafe fn by(
        first: Entry,
        second: Option<Entry>,
        name: &'static CStr,
        from: *const c_void,
    ) -> impl PinInit<Self, Error> {
        pin_init!(Self {
            // INVARIANT: The initializer fails or registers `ops`, with a filter for `from`.
            ops <- Opaque::try_ffi_init(move |ops: *mut bindings::ftrace_ops| {
                // SAFETY: `ops` is valid for writes and pinned until it is unregistered. Of the entries: by the safety
                // requirement.
                let register = |entry| unsafe { Self::register(ops, from, entry) };
                let done = match (register(first), second) {
                    (Err(EBUSY), Some(second)) => register(second),
                    (done, _) => done,
                };
                done.inspect_err(|e| {
                    let why = match *e {
                        EBUSY => "a livepatch, a BPF program or another such user has it, or ftrace is off",
                        EINVAL => "ftrace does not know it",
                        ENODEV => "ftrace is disabled",
                        _ => "registration failed",
                    };
                    pr_err!("{}() cannot be redirected ({:?}): {}\n", name, e, why);
                })
            }),
        }? Error)
    }

    /// # Safety
    ///
    /// `ops` is valid for writes, pinned until it is unregistered, and not registered. `entry` may be the entry of the
    /// function at `from`.
    unsafe fn register(
        ops: *mut bindings::ftrace_ops,
        from: *const c_void,
        entry: Entry,
    ) -> Result {
        // PERMANENT: it cannot be switched off behind our back (`kernel.ftrace_enabled`).
        let permanent = bindings::FTRACE_OPS_FL_PERMANENT;
        let init = match entry {
            Entry::Jump(_) | Entry::Call(_) => bindings::ftrace_ops {
                flags: permanent as c_ulong,
                ..Default::default()
            },
            Entry::Handler(handler, to) => bindings::ftrace_ops {
                func: Some(handler),
                flags: (permanent | bindings::FTRACE_OPS_FL_IPMODIFY) as c_ulong,
                private: to.cast_mut(),
                ..Default::default()
            },
        };
        // SAFETY: By the safety requirement `ops` is valid for writes, and not registered, so that nobody else looks at it.
        unsafe { ops.write(init) };
        // SAFETY: `ops` is initialised and pinned; ftrace reads the address only to look it up.
        to_result(unsafe { bindings::ftrace_set_filter_ip(ops, from as c_ulong, 0, 0) })?;
        // SAFETY: `ops` is initialised, pinned and not registered. By the safety requirement what is at each of the
        // addresses can run at the entry of the function.
        to_result(unsafe {
            match entry {
                Entry::Jump(to) => bindings::register_ftrace_direct(ops, to as c_ulong, true),
                Entry::Call(trampoline) => {
                    bindings::register_ftrace_direct(ops, trampoline.as_ptr() as c_ulong, false)
                }
                Entry::Handler(..) => bindings::register_ftrace_function(ops),
            }
        })
        .inspect_err(|_| {
            // It was in ftrace's list for a moment, where readers with preemption off may have met it.
            rcu::synchronize_rcu();
            // SAFETY: `ops` is not registered, and initialised anew before it is used again.
            unsafe { bindings::ftrace_free_filter(ops) };
        })
    }
}

#[pinned_drop]
impl PinnedDrop for Redirect {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariant `ops` is registered.
        let ret = unsafe { bindings::unregister_ftrace(self.ops.get()) };
        if ret != 0 {
            // ftrace has found something wrong and shut itself down: it leaves all call sites as
            // they are, so that this code must stay for ever.
            pr_emerg!("ftrace is broken ({}): this module cannot go\n", ret);
            loop {
                fsleep(Delta::from_secs(3600));
            }
        }
        // A task may have been sent to the replacement and be there yet. By the safety requirement of `new()` it does
        // not sleep there, so once every task has been seen outside of the kernel or asleep, none is. The
        // replacements of `with_original()` and `with_original_if()` may sleep, but not before they have counted the
        // call: the owner of this object then waits for these by `in_flight::Wait`. (The call above does the same for
        // the sake of its own trampoline, which is not promised.)
        wait_for_tasks();
        // Where spinlocks sleep, a task may have slept there all the same, under the RCU read side
        // lock. Once all those have left it, nothing that sleeps is ahead of them there.
        if cfg!(CONFIG_PREEMPT_RT) {
            rcu::synchronize_rcu();
            wait_for_tasks();
        }
        // SAFETY: `ops` is not registered any more and not used again.
        unsafe { bindings::ftrace_free_filter(self.ops.get()) };
    }
}
