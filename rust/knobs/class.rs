// SPDX-License-Identifier: GPL-2.0

//! `/sys/kernel/sgio_filter/`.
//!
//! ABI: `Documentation/ABI/testing/sysfs-kernel-sgio_filter`

use super::{
    accept,
    apply,
    arm_for,
    device::prepare_filter_sg,
    parse,
    show_hits,
    show_rules,
    show_stats,
    show_switch,
    switch,
    word, //
};
use crate::{
    hook::entry_points::EntryPoints,
    kernel::{
        kobject::{
            Kobject,
            Parent, //
        },
        sysfs::{
            File,
            Page,
            Write, //
        }, //
    },
    policy::{
        Action,
        ByteSet,
        ChangeKind,
        Class,
        ListedRule,
        Rule,
        RuleStore,
        Table,
        MAX_RULES, //
    },
    state::rules::{
        CompiledFilter,
        RuleVec, //
    },
    state::State,
};
use kernel::{
    fmt::{
        self,
        Write as _, //
    },
    prelude::*,
    str::CString,
    sync::{
        atomic::Relaxed,
        Arc, //
    },
};

/// The version of the interface in sysfs.
const VERSION: u32 = 1;

/// The whole tree. It is taken down from the leaves to the root.
pub(crate) struct Root {
    _each: KVec<Kobject<ClassKnobs>>,
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
    /// `ENOMEM`, also if there is one already.
    pub(crate) fn new(state: &Arc<State>) -> Result<Self> {
        let root = Kobject::new(Parent::kernel(), c"sgio_filter", state.clone(), &ROOT_FILES)?;
        let classes = Kobject::new(root.as_parent(), c"classes", (), &[])?;
        let mut each = KVec::with_capacity(Class::ALL.len(), GFP_KERNEL)?;
        for class in Class::ALL {
            let name = CString::try_from_fmt(fmt!("{}", class.name()))?;
            let knobs = ClassKnobs {
                state: state.clone(),
                class,
            };
            let directory = Kobject::new(classes.as_parent(), &name, knobs, &CLASS_FILES)?;
            each.push(directory, GFP_KERNEL)?;
        }
        Ok(Self {
            _each: each,
            _classes: classes,
            _root: root,
        })
    }
}

/// What the files of one class work on.
struct ClassKnobs {
    state: Arc<State>,
    class: Class,
}

static CLASS_FILES: [File<Kobject<ClassKnobs>>; 3] = [
    File::writable(c"rules", ClassKnobs::show_rules, ClassKnobs::store_rules),
    File::private(c"hits", |knobs: &ClassKnobs, page| {
        show_hits(knobs.state.class_rules(knobs.class), page)
    }),
    File::writable(c"table", ClassKnobs::show_table, ClassKnobs::store_table),
];

/// The rules of a class that are not a table.
///
/// # Errors
///
/// `ENOMEM`, `ENOSPC`, and those of [`arm_for`].
pub(super) fn compile_custom(mut rules: RuleVec) -> Result<Arc<CompiledFilter>> {
    if rules.rules().iter().all(ListedRule::is_timed) {
        // An empty text means the built-in table, so that "nothing" needs words of its own, at the
        // latest when the last rule has ended.
        if rules.rules().len() >= MAX_RULES {
            return Err(ENOSPC);
        }
        let nothing = Rule::new(Action::Deny, ByteSet::FULL).ok_or(EINVAL)?;
        rules.push(ListedRule::permanent(nothing))?;
    }
    arm_for(&rules)?;
    CompiledFilter::compile(rules)
}

impl ClassKnobs {
    fn show_rules(&self, page: &mut Page<'_>) -> Result {
        show_rules(self.state.class_rules(self.class), page)
    }

    fn store_rules(&self, write: &Write<'_>) -> Result {
        let change = parse(&self.state.log_limits.mistakes, self, accept(write)?)?;
        if change.kind() == ChangeKind::Reset {
            return self.take_table(self.state.default_table);
        }

        let writers = self.state.writers.lock();
        let old = self.state.class_rules(self.class);
        let rules = compile_custom(apply(&self.state.log_limits.mistakes, self, &change, old)?)?;
        let old = self.state.replace_class(self.class, rules, None);
        drop(writers);
        drop(old);
        Ok(())
    }

    fn show_table(&self, page: &mut Page<'_>) -> Result {
        let table = self.state.class_table(self.class);
        Ok(writeln!(page, "{}", table.map_or("custom", Table::name))?)
    }

    fn store_table(&self, write: &Write<'_>) -> Result {
        let table = Table::from_name(word(accept(write)?));
        self.take_table(table.ok_or(EINVAL)?)
    }

    fn take_table(&self, table: Table) -> Result {
        let rules = self.state.compile_table(self.class, table)?;
        let writers = self.state.writers.lock();
        let old = self.state.replace_class(self.class, rules, Some(table));
        drop(writers);
        drop(old);
        Ok(())
    }
}

impl fmt::Display for ClassKnobs {
    /// Its name, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "class {}", self.class.name())
    }
}
