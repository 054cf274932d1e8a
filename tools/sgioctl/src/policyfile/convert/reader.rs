// SPDX-License-Identifier: GPL-2.0

//! What each part of a file is read with.

use super::super::{raw, At, Fault, Text};
use sgio_policy::policy::Class;
use toml::Spanned;

/// Reads one file, and keeps what is wrong with it.
pub(super) struct Reader<'a> {
    pub(super) text: Text<'a>,
    pub(super) faults: Vec<Fault>,
}

impl Reader<'_> {
    pub(super) fn at<T: Clone>(&self, value: &Spanned<T>) -> At<T> {
        At {
            value: value.get_ref().clone(),
            place: self.text.place(value.span().start),
        }
    }

    pub(super) fn fault(&mut self, at: usize, message: impl Into<String>, fix: impl Into<String>) {
        let place = self.text.place(at);
        self.faults.push(Fault::new(&place, message, fix));
    }

    pub(super) fn class(&mut self, raw: &raw::Str) -> Option<At<Class>> {
        let at = self.at(raw);
        let Some(value) = Class::from_name(&at.value) else {
            let message = format!("there is no class '{}'", at.value);
            if let Some(name) = crate::device::class_meant(&at.value) {
                self.fault(raw.span().start, message, format!("write \"{name}\""));
                return None;
            }
            let fix = "use a name of /sys/kernel/sgio_filter/classes: disk, tape, cdrom, changer, \
                       raid, enclosure, zbc, ...";
            self.fault(raw.span().start, message, fix);
            return None;
        };
        Some(At {
            value,
            place: at.place,
        })
    }
}
