// SPDX-License-Identifier: GPL-2.0

//! `/sys/kernel/sgio_filter/`: the files of the filter as a whole.
//!
//! ABI: `Documentation/ABI/testing/sysfs-kernel-sgio_filter`

use super::{
    accept,
    class::class_directory,
    device::prepare_filter_sg,
    show_stats,
    show_switch,
    switch, //
};
use crate::{
    hook::entry_points::EntryPoints,
    kernel::{
        kobject::{
            Entry,
            Kobject,
            Parent, //
        },
        sysfs::File, //
    },
    policy::Class,
    state::State,
};
use kernel::{
    fmt::Write as _,
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc, //
    },
};

/// The version of the interface in sysfs.
const VERSION: u32 = 1;

/// The whole tree. It is taken down from the leaves to the root.
pub(crate) struct Root {
    _each: KVec<Entry>,
    _classes: Kobject<()>,
    _root: Kobject<Arc<State>>,
}

static ROOT_FILES: [File<Kobject<Arc<State>>>; 4] = [
    File::read_only(c"version", |_, page| Ok(writeln!(page, "{VERSION}")?)),
    File::read_only(c"stats", |state: &Arc<State>, page| {
        show_stats(&state.without_device, page)
    }),
    File::writable(
        c"filter_sg",
        |state: &Arc<State>, page| show_switch(state.filter_sg.load(Relaxed), page),
        |state: &Arc<State>, write| {
            let filter = switch(accept(write)?)?;
            prepare_filter_sg(filter)?;
            state.filter_sg.store(filter, Relaxed);
            Ok(())
        },
    ),
    File::read_only(c"entry_points", |_, page| EntryPoints::show(page)),
];

impl Root {
    /// Makes the tree.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, `EEXIST` if there is one already.
    pub(crate) fn new(state: &Arc<State>) -> Result<Self> {
        let root = Kobject::new(Parent::kernel(), c"sgio_filter", state.clone(), &ROOT_FILES)?;
        let classes = Kobject::new(root.as_parent(), c"classes", (), &[])?;
        let mut each = KVec::with_capacity(Class::ALL.len(), GFP_KERNEL)?;
        for class in Class::ALL {
            each.push(
                class_directory(classes.as_parent(), state, class)?,
                GFP_KERNEL,
            )?;
        }
        Ok(Self {
            _each: each,
            _classes: classes,
            _root: root,
        })
    }
}
