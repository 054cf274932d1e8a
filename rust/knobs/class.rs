// SPDX-License-Identifier: GPL-2.0

//! `/sys/kernel/sgio_filter/classes/<class>/`: the files of one class.
//!
//! ABI: `Documentation/ABI/testing/sysfs-kernel-sgio_filter`

use super::{
    accept,
    apply,
    arm_for,
    parse,
    show_hits,
    show_rules,
    word, //
};
use crate::{
    kernel::{
        kobject::{
            Entry,
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
    state::filter::CompiledFilter,
    state::rules::RuleVec,
    state::State,
};
use kernel::{
    fmt::{
        self,
        Write as _, //
    },
    prelude::*,
    str::CString,
    sync::Arc, //
};

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

/// Makes the directory of `class` in `parent`, which is there while the result lives.
///
/// # Errors
///
/// `ENOMEM`, and those of [`Kobject::new`].
pub(super) fn class_directory(
    parent: Parent<'_>,
    state: &Arc<State>,
    class: Class,
) -> Result<Entry> {
    let name = CString::try_from_fmt(fmt!("{}", class.name()))?;
    let knobs = ClassKnobs {
        state: state.clone(),
        class,
    };
    Ok(Kobject::new(parent, &name, knobs, &CLASS_FILES)?.into())
}

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
