// SPDX-License-Identifier: GPL-2.0

//! The proof that the kernel asks `scsi_cmd_allowed()`, by its code.
//!
//! A redirection is worth as much as the calls that arrive there. A compiler may put the function, or a part of it, into
//! its callers; then these decide by themselves, by the kernel's own list, and nothing else would show it. So the machine
//! code of those who must ask is read: each must have as many calls as its source has, in itself or in the functions that it
//! calls in turn, whatever the compiler has put into what.
//!
//! Not here: what is called by a pointer; who else may ask.

use crate::kernel::{
    arch,
    nofault,
    symbol, //
};
use kernel::prelude::*;

/// A function of the kernel's source.
struct Function {
    name: &'static str,
    /// What it calls on the way to `scsi_cmd_allowed()`, once for each call in its source.
    calls: &'static [&'static Function],
}

const fn function(name: &'static str, calls: &'static [&'static Function]) -> Function {
    Function { name, calls }
}

static CMD_ALLOWED: Function = function("scsi_cmd_allowed", &[]);

// drivers/scsi/scsi_ioctl.c
static FILL: Function = function("scsi_fill_sghdr_rq", &[&CMD_ALLOWED]);
static SG_IO: Function = function("sg_io", &[&FILL]);
static SEND_COMMAND: Function = function("sg_scsi_ioctl", &[&CMD_ALLOWED]);
static SEND_PACKET: Function = function("scsi_cdrom_send_packet", &[&SG_IO]);
static IOCTL_SG_IO: Function = function("scsi_ioctl_sg_io", &[&SG_IO]);
static IOCTL: Function = function("scsi_ioctl", &[&SEND_COMMAND, &SEND_PACKET, &IOCTL_SG_IO]);

// drivers/scsi/scsi_bsg.c
static BSG: Function = function("scsi_bsg_sg_io_fn", &[&CMD_ALLOWED]);
static BSG_URING: Function = function("scsi_bsg_uring_cmd", &[&CMD_ALLOWED]);

// drivers/scsi/sg.c
static SG_ACCESS: Function = function("sg_allow_access", &[&CMD_ALLOWED]);
static SG_NEW_WRITE: Function = function("sg_new_write", &[&SG_ACCESS]);
static SG_COMMON: Function = function("sg_ioctl_common", &[&SG_NEW_WRITE]);
static SG_IOCTL: Function = function("sg_ioctl", &[&SG_COMMON]);

/// The longest function that is read.
const LONGEST: usize = 64 << 10;

/// Code that can be read.
trait Code {
    /// The known functions that the one at `at` calls, by the names that `known` finds, and their addresses.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` if the calls of this architecture cannot be told; `EINVAL` if no function begins there, `EFAULT` if it
    /// cannot be read; `ENOMEM`.
    fn calls(
        &self,
        at: usize,
        known: &dyn Fn(&str) -> Option<&'static Function>,
    ) -> Result<KVec<(&'static Function, usize)>>;
}

/// The code that runs.
struct Running;

/// A part of it.
fn read(at: usize, size: usize) -> Result<KVec<u8>> {
    if size > LONGEST {
        return Err(EINVAL);
    }
    nofault::read_bytes(at, size)
}

impl Code for Running {
    fn calls(
        &self,
        at: usize,
        known: &dyn Fn(&str) -> Option<&'static Function>,
    ) -> Result<KVec<(&'static Function, usize)>> {
        let mut here = KBox::new(symbol::Text::new(), GFP_KERNEL)?;
        let mut there = KBox::new(symbol::Text::new(), GFP_KERNEL)?;
        let place = here.place_of(at).ok_or(EINVAL)?;
        if place.offset != 0 {
            return Err(EINVAL);
        }
        let (mut calls, mut cold) = (KVec::new(), None);
        for target in arch::branch_targets(at, &read(at, place.size)?).ok_or(EOPNOTSUPP)? {
            let Some(to) = there.place_of(target) else {
                continue;
            };
            if to.name.strip_suffix(".cold") == Some(place.name) {
                cold = Some((target.wrapping_sub(to.offset), to.size));
            } else if let Some(function) = source_name(&to).and_then(known) {
                calls.push((function, target), GFP_KERNEL)?;
            }
        }
        // What it does seldom, the compiler puts elsewhere.
        if let Some((at, size)) = cold {
            for target in arch::branch_targets(at, &read(at, size)?).ok_or(EOPNOTSUPP)? {
                let to = there.place_of(target);
                if let Some(function) = to.and_then(|to| source_name(&to)).and_then(known) {
                    calls.push((function, target), GFP_KERNEL)?;
                }
            }
        }
        Ok(calls)
    }
}

/// The name in the source of the function that is entered at a place.
///
/// What the compiler makes of a function (`sg_io.isra.0`) has its name. A call may go to the padding before a function,
/// where the kernel counts calls (`CONFIG_MITIGATION_CALL_DEPTH_TRACKING`).
fn source_name<'a>(place: &symbol::Place<'a>) -> Option<&'a str> {
    let name = match place.name.strip_prefix("__pfx_") {
        Some(name) => name,
        None if place.offset == 0 => place.name,
        None => return None,
    };
    if name.ends_with(".cold") {
        return None;
    }
    match name.split_once('.') {
        // A part of this one is not what is redirected.
        Some((whole, _)) if whole == CMD_ALLOWED.name => None,
        Some((whole, _)) => Some(whole),
        None => Some(name),
    }
}

impl Function {
    /// This, or what it calls in turn, by name.
    fn find(&'static self, name: &str) -> Option<&'static Self> {
        if self.name == name {
            return Some(self);
        }
        self.calls.iter().find_map(|called| called.find(name))
    }

    fn is_leaf(&self) -> bool {
        self.calls.is_empty()
    }

    /// Proves that the function at `at` asks.
    ///
    /// # Errors
    ///
    /// Those of [`Code::calls`]; `ENXIO` if a call is missing.
    fn prove(&'static self, at: usize, code: &dyn Code) -> Result {
        let below = |name: &str| self.calls.iter().find_map(|called| called.find(name));
        let mut calls = code.calls(at, &below)?;
        self.prove_in(&mut calls, code)
    }

    /// Proves that this function asks, of which `calls` has what it calls, perhaps among others'.
    fn prove_in(
        &'static self,
        calls: &mut KVec<(&'static Function, usize)>,
        code: &dyn Code,
    ) -> Result {
        for called in self.calls {
            let found = calls
                .iter()
                .position(|(function, _)| function.name == called.name);
            match found {
                // It is there for one call of the source, and not for another.
                Some(index) if called.is_leaf() => drop(calls.remove(index)),
                Some(index) => {
                    let at = calls.get(index).ok_or(EINVAL)?.1;
                    called.prove(at, code)?;
                }
                None if called.is_leaf() => return Err(ENXIO),
                // The compiler has put it in here.
                None => called.prove_in(calls, code)?,
            }
        }
        Ok(())
    }

    /// The same for the running kernel, which says in its log what is wrong.
    fn prove_running(&'static self, at: usize) -> Result {
        match self.prove(at, &Running) {
            Err(EOPNOTSUPP) => {
                pr_notice!(
                    "{}(): whether it calls scsi_cmd_allowed() is not checked on this architecture\n",
                    self.name
                );
                Ok(())
            }
            Err(ENXIO) => {
                pr_err!(
                    "{}() does not call scsi_cmd_allowed() as its source does: this kernel was compiled in a way \
                     that the filter cannot get between\n",
                    self.name
                );
                Err(ENXIO)
            }
            Err(e) => {
                pr_err!("{}(): its code cannot be checked ({:?})\n", self.name, e);
                Err(e)
            }
            Ok(()) => Ok(()),
        }
    }
}

/// Proves it of the SCSI core, and of sg if that is loaded.
///
/// # Errors
///
/// `ENXIO` if one of those who must ask does not; `EINVAL`, `EFAULT` if it cannot be told; `ENOENT` if bsg is not where it
/// is expected; those of [`symbol::address_of`]; `ENOMEM`.
pub(super) fn prove_core(scsi_ioctl: usize) -> Result {
    IOCTL.prove_running(scsi_ioctl)?;
    let bsg = [
        (&BSG, c"scsi_bsg_sg_io_fn", cfg!(CONFIG_BLK_DEV_BSG)),
        // Later kernels have it.
        (&BSG_URING, c"scsi_bsg_uring_cmd", false),
    ];
    for (function, name, is_expected) in bsg {
        match symbol::address_of(name) {
            Ok(at) => function.prove_running(at)?,
            Err(ENOENT) if !is_expected => {}
            Err(EOPNOTSUPP) => pr_notice!("{}() is not checked: there are no kprobes\n", name),
            Err(e) => {
                pr_err!("{}() cannot be checked ({:?})\n", name, e);
                return Err(e);
            }
        }
    }
    match symbol::address_of(c"sg_ioctl") {
        Ok(at) => prove_sg(at)?,
        // Not loaded, and proven when it comes; or not to be found, and then all that it asks is refused.
        Err(ENOENT | EOPNOTSUPP) => {}
        Err(e) => return Err(e),
    }
    // For tests: a source of which the running kernel has fewer calls.
    if cfg!(sgio_filter_caller_missing) {
        static OTHER: Function = function("scsi_ioctl", &[&SEND_COMMAND, &FILL, &CMD_ALLOWED]);
        OTHER.prove_running(scsi_ioctl)?;
    }
    Ok(())
}

/// Proves it of sg, whose ioctl function is at `sg_ioctl`.
///
/// # Errors
///
/// Those of [`prove_core`].
pub(super) fn prove_sg(sg_ioctl: usize) -> Result {
    SG_IOCTL.prove_running(sg_ioctl)
}

#[kunit_tests(sgio_filter_callers)]
mod tests {
    use super::*;

    /// Functions, by the names of what they call; the address of one is its place.
    struct Compiled(&'static [&'static [&'static str]]);

    /// The address of a function in [`Compiled`] by the digit in front of its name.
    fn numbered(name: &'static str) -> Option<(usize, &'static str)> {
        let (digit, name) = name.split_at_checked(1)?;
        Some((digit.parse().ok()?, name))
    }

    impl Code for Compiled {
        fn calls(
            &self,
            at: usize,
            known: &dyn Fn(&str) -> Option<&'static Function>,
        ) -> Result<KVec<(&'static Function, usize)>> {
            let mut calls = KVec::new();
            for (at, name) in self
                .0
                .get(at)
                .ok_or(EINVAL)?
                .iter()
                .filter_map(|n| numbered(n))
            {
                if let Some(function) = known(name) {
                    calls.push((function, at), GFP_KERNEL)?;
                }
            }
            Ok(calls)
        }
    }

    fn prove(function: &'static Function, code: &'static [&'static [&'static str]]) -> Result {
        function.prove(0, &Compiled(code))
    }

    #[test]
    fn each_call_is_a_call() {
        assert!(prove(&BSG, &[&["9scsi_cmd_allowed"]]).is_ok());
        assert!(prove(&BSG, &[&[]]) == Err(ENXIO));
        assert!(prove(&BSG, &[&["9sg_io"]]) == Err(ENXIO));
    }

    #[test]
    fn as_gcc_compiles_it() {
        // What stock kernels have: sg_scsi_ioctl() and scsi_ioctl_sg_io() are in scsi_ioctl(), and
        // scsi_fill_sghdr_rq() is in sg_io().
        assert!(prove(
            &IOCTL,
            &[
                &["1sg_io", "2scsi_cdrom_send_packet", "9scsi_cmd_allowed"],
                &["9scsi_cmd_allowed"],
                &["1sg_io"],
            ]
        )
        .is_ok());
        // All by itself.
        assert!(prove(
            &IOCTL,
            &[
                &[
                    "1sg_scsi_ioctl",
                    "2scsi_ioctl_sg_io",
                    "3scsi_cdrom_send_packet"
                ],
                &["9scsi_cmd_allowed"],
                &["4sg_io"],
                &["4sg_io"],
                &["5scsi_fill_sghdr_rq"],
                &["9scsi_cmd_allowed"],
            ]
        )
        .is_ok());
        // All in one.
        assert!(prove(
            &IOCTL,
            &[&[
                "9scsi_cmd_allowed",
                "9scsi_cmd_allowed",
                "9scsi_cmd_allowed"
            ]]
        )
        .is_ok());
    }

    #[test]
    fn a_decision_that_was_put_into_a_caller_is_seen() {
        // Into sg_io(), of which two others are callers.
        assert!(
            prove(
                &IOCTL,
                &[
                    &["1sg_io", "2scsi_cdrom_send_packet", "9scsi_cmd_allowed"],
                    &[],
                    &["1sg_io"],
                ]
            ) == Err(ENXIO)
        );
        // Into sg_scsi_ioctl(), which is in scsi_ioctl().
        assert!(
            prove(
                &IOCTL,
                &[
                    &["1sg_io", "2scsi_cdrom_send_packet"],
                    &["9scsi_cmd_allowed"],
                    &["1sg_io"],
                ]
            ) == Err(ENXIO)
        );
        // One of three in one.
        assert!(prove(&IOCTL, &[&["9scsi_cmd_allowed", "9scsi_cmd_allowed"]]) == Err(ENXIO));
        // Into sg.
        assert!(prove(&SG_IOCTL, &[&["1sg_new_write"], &[]]) == Err(ENXIO));
    }

    #[test]
    fn names_are_those_of_the_source() {
        let name = |name, offset| {
            source_name(&symbol::Place {
                name,
                offset,
                size: 16,
            })
        };
        assert!(name("sg_io", 0) == Some("sg_io"));
        assert!(name("sg_io", 1).is_none());
        assert!(name("sg_new_write.isra.0", 0) == Some("sg_new_write"));
        assert!(name("__pfx_scsi_cmd_allowed", 7) == Some("scsi_cmd_allowed"));
        assert!(name("scsi_cmd_allowed.part.0", 0).is_none());
        assert!(name("sg_io.cold", 0).is_none());
    }

    #[test]
    fn the_running_kernel_asks() -> Result {
        prove_core(crate::kernel::bindings::scsi_ioctl as *const () as usize)
    }
}
