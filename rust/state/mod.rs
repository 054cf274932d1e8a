// SPDX-License-Identifier: GPL-2.0

//! Everything the filter holds: the classes, the devices, the kernel's own list.
//!
//! Decisions read it under RCU. A writer of rules holds `writers`, and frees what was replaced
//! after the readers.

pub(crate) mod device;
pub(crate) mod filter;
pub(crate) mod grants;
mod hctl;
mod holder_index;
pub(crate) mod log_limits;
pub(crate) mod nexus;
pub(crate) mod rules;
pub(crate) mod stats;
pub(crate) mod stock;

use self::{
    device::DeviceState,
    filter::{
        CompiledFilter,
        Rules, //
    },
    log_limits::LogLimits,
    nexus::Nexuses,
    rules::RuleVec,
    stats::Stats,
    stock::Stock, //
};
use crate::{
    kernel::{
        block::QueueId,
        kobject::Entry,
        pointer_map::PointerMap,
        scsi,
        sync::{
            rcu::{
                RcuArc,
                Reader,
                Retired, //
            },
            seqlock::SeqLock, //
        },
    },
    policy::{
        self,
        ApplyError,
        Class,
        Hctl,
        Table, //
    },
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        rcu,
        Arc,
        Mutex, //
    },
};

/// The state that decisions are made on, while the module is loaded.
static CURRENT: RcuArc<State> = RcuArc::none();

/// The same while it has all devices: not while the module is being loaded or unloaded.
static READY: RcuArc<State> = RcuArc::none();

/// The filter's state.
#[pin_data]
pub(crate) struct State {
    /// The running kernel's own list.
    pub(crate) stock: Stock,
    /// The table that a class is reset to.
    pub(crate) default_table: Table,
    /// The rules of each class. Apart from `class_tables`, so that finding them takes an instruction less.
    class_rules: [Rules; CLASSES],
    /// The [`Table`] that they come from, 0 if they were written by hand.
    class_tables: [Atomic<u32>; CLASSES],
    /// The devices, by their request queues.
    #[pin]
    pub(crate) devices: PointerMap<KnownDevice>,
    /// `/dev/sgN` of all devices is filtered however it is open.
    pub(crate) filter_sg: Atomic<bool>,
    /// What was answered about devices that are not known, or not yet, or not any more.
    pub(crate) without_device: Stats,
    /// A device had to do without its filter or its knobs.
    pub(crate) incomplete: Atomic<bool>,
    /// The I_T_L nexuses of the devices.
    #[pin]
    pub(crate) nexuses: Nexuses,
    /// The devices that may have grants: their addresses and ids. Locked inside of `writers`; nothing is inside of it.
    #[pin]
    pub(crate) granted: Mutex<KVec<(Hctl, u64)>>,
    /// Held while a device is added, removed, or taken for another one. Inside of it files are removed, which waits
    /// for those who are in one; so it is not taken there.
    #[pin]
    pub(crate) plugging: Mutex<()>,
    /// Held while rules are replaced, so that editing starts from what is there. It is taken inside of a sysfs file
    /// or a write to `/dev/sgio_filter`. With it held, entry points are armed, with their locks, and `changing` is
    /// taken: Documentation/design/concurrency.md has the order.
    #[pin]
    pub(crate) writers: Mutex<()>,
    /// Taken to publish a transaction, so that one is not decided upon half done.
    #[pin]
    pub(crate) changing: SeqLock,
    /// The number of the last transaction. With `writers` locked.
    pub(crate) transactions: Atomic<u64>,
    /// For what is logged about no known device.
    #[pin]
    pub(crate) log_limits: LogLimits,
}

/// A device and its knobs.
pub(crate) struct KnownDevice {
    /// The device.
    pub(crate) device: Arc<DeviceState>,
    /// Its directory in sysfs, if that could be made.
    pub(crate) _directory: Option<Entry>,
}

/// How many peripheral device types there are.
const CLASSES: usize = Class::ALL.len();

impl State {
    /// The state without devices, with `table` for all classes.
    ///
    /// # Errors
    ///
    /// Those of [`Stock::of_running_kernel`], `ENOMEM`.
    pub(crate) fn new(table: Table) -> Result<Arc<Self>> {
        let stock = Stock::of_running_kernel()?;
        let state = Arc::pin_init(
            try_pin_init!(Self {
                stock,
                default_table: table,
                class_rules: [const { RcuArc::none() }; CLASSES],
                class_tables: [const { Atomic::new(0) }; CLASSES],
                devices <- PointerMap::new(),
                filter_sg: Atomic::new(false),
                without_device: Stats::new()?,
                incomplete: Atomic::new(false),
                nexuses <- Nexuses::new(),
                granted <- new_mutex!(KVec::new()),
                plugging <- new_mutex!(()),
                writers <- new_mutex!(()),
                changing <- SeqLock::new(),
                transactions: Atomic::new(0),
                log_limits <- LogLimits::new(),
            }),
            GFP_KERNEL,
        )?;
        for class in Class::ALL {
            let filter = state.compile_table(class, table)?;
            drop(state.replace_class(class, filter, Some(table)));
        }
        Ok(state)
    }

    /// The place of the rules of `class`.
    #[inline(always)]
    pub(crate) fn class_rules(&self, class: Class) -> &Rules {
        &self.class_rules[Self::index(class)]
    }

    #[inline(always)]
    fn index(class: Class) -> usize {
        // `Class` holds less than 32, which the compiler does not know.
        usize::from(class.type_code()) % CLASSES
    }

    /// The built-in table that the rules of `class` are, if they are one.
    pub(crate) fn class_table(&self, class: Class) -> Option<Table> {
        let number = self.class_tables[Self::index(class)].load(Relaxed);
        Table::ALL.into_iter().find(|table| *table as u32 == number)
    }

    /// Makes `filter` the rules of `class`. To be called with `writers` held.
    pub(crate) fn replace_class(
        &self,
        class: Class,
        filter: Arc<CompiledFilter>,
        table: Option<Table>,
    ) -> Retired<CompiledFilter> {
        let table = table.map_or(0, |table| table as u32);
        self.class_tables[Self::index(class)].store(table, Relaxed);
        self.class_rules(class).replace(Some(filter))
    }

    /// The rules of a built-in table.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn compile_table(&self, class: Class, table: Table) -> Result<Arc<CompiledFilter>> {
        let rules = match table {
            Table::Stock => self.stock.rules()?,
            Table::Strict => {
                let mut rules = RuleVec::new();
                policy::load(policy::strict(class), &mut rules).map_err(|e| match e {
                    ApplyError::Store(e) => e,
                    // The tables are constants, and tested.
                    _ => EINVAL,
                })?;
                rules
            }
        };
        CompiledFilter::compile(rules)
    }

    /// The device that a queue belongs to.
    pub(crate) fn device(&self, queue: QueueId) -> Option<Arc<DeviceState>> {
        let guard = rcu::read_lock();
        let known = self.devices.get(queue.key(), &guard)?;
        Some(known.device.clone())
    }

    /// The device at an address.
    pub(crate) fn device_at(&self, hctl: Hctl) -> Option<Arc<DeviceState>> {
        let device = self.device(scsi::queue_at(hctl.into())?)?;
        // Between the two look-ups the queue may have become another device's.
        (device.hctl == hctl).then_some(device)
    }

    /// The current state, if there is one, for as long as the RCU read side lock is held.
    #[inline(always)]
    pub(crate) fn current(guard: &impl Reader) -> Option<&State> {
        CURRENT.read(guard)
    }

    /// The current state if it has all devices, for as long as the RCU read side lock is held.
    ///
    /// Without it, the module is being loaded or unloaded. Where a command can be left to the kernel's own check, it is.
    pub(crate) fn ready(guard: &impl Reader) -> Option<&State> {
        READY.read(guard)
    }

    /// The current state, if there is one.
    pub(crate) fn get() -> Option<Arc<Self>> {
        CURRENT.get()
    }
}

/// While this object lives, there is a current state, which decisions are made on.
pub(crate) struct Current(());

impl Current {
    /// Makes `state` the current one.
    pub(crate) fn new(state: Arc<State>) -> Self {
        drop(CURRENT.replace(Some(state)));
        Self(())
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        drop(CURRENT.replace(None));
    }
}

/// While this object lives, the current state has all devices.
pub(crate) struct Ready(());

impl Ready {
    /// All devices that are there have been added to `state`.
    pub(crate) fn new(state: Arc<State>) -> Self {
        drop(READY.replace(Some(state)));
        Self(())
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        // Waits for those who decide by it.
        drop(READY.replace(None));
    }
}
