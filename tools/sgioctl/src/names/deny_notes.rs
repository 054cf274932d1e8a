// SPDX-License-Identifier: GPL-2.0

//! What there is to say of a command that is denied.

use super::{
    ata,
    denied::of_cdb,
    find::find,
    parse::cdb_meant,
    table::{rule, whole, VENDOR_SPECIFIC},
};
use sgio_policy::policy::Class;

/// What a deny of a command, as it is written, leaves open or denies beside it, in words.
pub fn left_open_by_denied(command: &str, class: Class) -> Option<String> {
    if let Some(cdb) = cdb_meant(command, class) {
        let opcode = cdb.first()?;
        let rules = of_cdb(&cdb, class);
        let unknown = whole(*opcode, class).is_none_or(|entry| entry.name == VENDOR_SPECIFIC);
        let pins = rules.iter().any(|rule| rule.contains(" [1]="));
        return (unknown && pins).then(|| {
            format!(
                "no table knows which bytes name the command: another byte 1 is left as it was; \
                 'op:{opcode:02x}' denies them all"
            )
        });
    }
    let command = command.trim();
    let (name, fields) = command.split_once([' ', '\t'])?;
    let entry = find(&name.to_ascii_lowercase(), class)?;
    let others = rule(&format!("00 {}", fields.trim()))?;
    let denied = ata::of_name(entry, &others, class)?;
    let short: Vec<String> = denied
        .iter()
        .filter(|denied| !denied.without.is_empty())
        .map(|denied| {
            let bytes: Vec<String> = denied.without.iter().map(u8::to_string).collect();
            format!(
                "'{}', without byte {}",
                denied.matching,
                bytes.join(" and ")
            )
        })
        .collect();
    (!short.is_empty()).then(|| {
        format!(
            "more is denied, as not every CDB has a place for these conditions: {}",
            short.join("; ")
        )
    })
}
