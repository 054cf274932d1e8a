// SPDX-License-Identifier: GPL-2.0

//! `/dev/sgio_filter`, for programs.
//!
//! ABI: `Documentation/ABI/testing/dev-sgio_filter`

use super::transaction;
use crate::{
    hook::verdict::{
        Asker,
        Verdict, //
    },
    kernel::{
        capability::Capability,
        cgroup::Cgroup,
        uapi, //
    },
    policy::{
        Cdb,
        Class,
        Hctl, //
    },
    state::State,
};
use kernel::{
    fs::{
        File,
        Kiocb, //
    },
    ioctl::_IOWR,
    iov::IovIterSource,
    miscdevice::{
        MiscDevice,
        MiscDeviceOptions,
        MiscDeviceRegistration, //
    },
    prelude::*,
    sync::{
        rcu,
        Arc, //
    },
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

/// The most that one transaction may be, in bytes.
const MAX_TRANSACTION: usize = 16 << 20;

/// `SGIO_FILTER_IOC_CHECK`.
const CHECK: u32 = _IOWR::<uapi::Check>(0xbc, 1);

/// The device node, while the module is loaded.
#[pin_data]
pub(crate) struct Control {
    #[pin]
    _node: MiscDeviceRegistration<Opened>,
}

impl Control {
    /// Makes the node.
    ///
    /// # Errors
    ///
    /// Those of `misc_register()`.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            _node <- MiscDeviceRegistration::register(MiscDeviceOptions {
                name: c"sgio_filter",
            }),
        })
    }
}

/// The node, opened. While it is, the module stays, and with it the state.
struct Opened(Arc<State>);

#[vtable]
impl MiscDevice for Opened {
    type Ptr = KBox<Self>;

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<KBox<Self>> {
        if !Capability::SYS_RAWIO.current_has() {
            return Err(EPERM);
        }
        let state = State::get().ok_or(ENODEV)?;
        Ok(KBox::new(Self(state), GFP_KERNEL)?)
    }

    fn write_iter(kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        // The opener had it; what it opened may have been handed on.
        if !Capability::SYS_RAWIO.current_has() {
            return Err(EPERM);
        }
        let len = iov.len();
        if len > MAX_TRANSACTION {
            return Err(E2BIG);
        }
        let mut text = KVVec::new();
        if iov.copy_from_iter_vec(&mut text, GFP_KERNEL)? != len {
            return Err(EFAULT);
        }
        transaction::make(&kiocb.file().0, &text)?;
        Ok(len)
    }

    fn ioctl(me: &Self, _file: &File, cmd: u32, arg: usize) -> Result<isize> {
        if cmd != CHECK {
            return Err(ENOTTY);
        }
        let user = UserPtr::from_addr(arg);
        let size = size_of::<uapi::Check>();
        let mut check: uapi::Check = UserSlice::new(user, size).reader().read()?;
        answer(&me.0, &mut check)?;
        UserSlice::new(user, size).writer().write(&check)?;
        Ok(0)
    }
}

/// Fills in the answer to a question.
///
/// # Errors
///
/// `EINVAL`, `ENODEV`, `ENOENT`.
fn answer(state: &State, check: &mut uapi::Check) -> Result {
    let by_class = check.flags & uapi::BY_CLASS != 0;
    let as_cgroup = check.flags & uapi::AS_CGROUP != 0;
    let device = (check.host, check.channel, check.target, check.lun) != (0, 0, 0, 0);
    if usize::try_from(check.size) != Ok(size_of::<uapi::Check>())
        || check.flags & !(uapi::BY_CLASS | uapi::WRITE | uapi::AS_CGROUP) != 0
        || check.reserved != 0
        || as_cgroup == (check.cgroup == 0)
        || as_cgroup && by_class
        || if by_class { device } else { check.type_ != 0 }
    {
        return Err(EINVAL);
    }
    // The kernel pads what is sent to 32 bytes, too.
    let len = usize::try_from(check.cdb_len)?;
    if len == 0
        || check
            .cdb
            .get(len..)
            .ok_or(EINVAL)?
            .iter()
            .any(|byte| *byte != 0)
    {
        return Err(EINVAL);
    }
    let cdb = Cdb::new(&check.cdb).ok_or(EINVAL)?;
    let write = check.flags & uapi::WRITE != 0;

    let ((kind, layer, rule), complain, holder) = if by_class {
        let class = u8::try_from(check.type_)?;
        if class > Class::UNKNOWN.type_code() {
            return Err(EINVAL);
        }
        let class = Class::from_type(class);
        let guard = rcu::read_lock();
        let verdict = Verdict::for_class(state, class, &cdb, write, &guard);
        (verdict.codes(), false, None)
    } else {
        let device = state
            .device_at(Hctl {
                host: check.host,
                channel: check.channel,
                target: check.target,
                lun: check.lun,
            })
            .ok_or(ENODEV)?;
        let sent = device.lun_in_cdb.sent(&check.cdb);
        let cdb = Cdb::new(&sent).ok_or(EINVAL)?;
        // Looked up before the lock, since that sleeps.
        let cgroup = match as_cgroup {
            true => Some(Cgroup::from_id(check.cgroup).ok_or(ENOENT)?),
            false => None,
        };
        let asker = cgroup.as_ref().map_or(Asker::Nobody, Asker::Cgroup);
        let guard = rcu::read_lock();
        let verdict = Verdict::on_from(state, &device, &cdb, write, asker, &guard);
        (verdict.codes(), verdict.complain, verdict.holder)
    };
    check.decision = kind.into();
    check.layer = layer.into();
    check.rule = rule.into();
    check.complain = complain.into();
    check.holder = holder.unwrap_or(0);
    Ok(())
}
