// SPDX-License-Identifier: GPL-2.0

//! Which CDBs a rule matches, and those that another matches too.

use sgio_policy::policy::{ByteSet, Cdb, Field, Rule, MAX_CDB};

pub(super) fn matches(rule: &Rule, cdb: &[u8; MAX_CDB]) -> bool {
    Cdb::new(cdb).is_some_and(|cdb| rule.matches(&cdb))
}

/// Tells whether every CDB of that opcode that `inner` matches is matched by `outer`, as far as
/// it can be told field by field.
pub(super) fn covers(outer: &Rule, inner: &Rule, opcode: u8) -> bool {
    let implied = |field: Field| {
        inner.fields().any(|other| {
            // More bits known of the byte say as much about fewer of them.
            let bits = other.byte() == field.byte() && field.mask() & !other.mask() == 0;
            let within = |v: u8| field.values().contains(v & field.mask());
            bits && other.values().iter().all(within)
        })
    };
    outer.opcodes().contains(opcode) && outer.fields().all(implied)
}

/// How many CDBs of one opcode are looked at.
const MAX_PROBES: usize = 4096;

/// CDBs that a rule matches: every value of its fields, and where it leaves it open, every service
/// action and every ATA command.
pub(super) fn probes(rule: &Rule) -> Vec<[u8; MAX_CDB]> {
    let mut probes = Vec::new();
    for opcode in rule.opcodes().iter() {
        let mut of_opcode = vec![[0; MAX_CDB]];
        of_opcode[0][0] = opcode;
        let open = |byte| rule.fields().all(|field| field.byte() != byte);
        let mut range = ByteSet::EMPTY;
        range.insert_range(0, 0x1f);
        let selecting = match opcode {
            0x85 => [Some((14, ByteSet::FULL)), None],
            0xa1 => [Some((9, ByteSet::FULL)), None],
            0x7f => [Some((9, range)), Some((7, ByteSet::from_bytes(&[0x18])))],
            _ => [Some((1, range)), None],
        };
        let selecting = selecting
            .into_iter()
            .flatten()
            .filter(|(byte, _)| open(*byte));
        let fields = rule.fields().map(|field| (field.byte(), *field.values()));
        for (byte, values) in fields.chain(selecting) {
            let times = values.len().min(MAX_PROBES / of_opcode.len().max(1)).max(1);
            let old = std::mem::take(&mut of_opcode);
            for value in values.iter().take(times) {
                of_opcode.extend(old.iter().map(|cdb| {
                    let mut cdb = *cdb;
                    cdb[usize::from(byte)] |= value;
                    cdb
                }));
            }
        }
        probes.extend(of_opcode);
    }
    probes
}

#[cfg(test)]
mod tests {
    use super::{covers, probes};
    use sgio_policy::policy::{Change, Rule};

    fn rule(text: &str) -> Rule {
        let change = Change::parse(text.as_bytes()).unwrap();
        let rule = change.rules().next().and_then(|rule| rule.permanent());
        rule.unwrap()
    }

    #[test]
    fn coverage() {
        for (outer, inner, expected) in [
            ("deny 12", "allow r 12", true),
            ("deny 12 [1]=00", "allow r 12", false),
            ("deny 12", "allow r 12 [1]=00", true),
            ("deny 12 [1]&1f=00-04", "allow r 12 [1]&1f=03", true),
            ("deny 12 [1]&1f=00-04", "allow r 12 [1]=23", true),
            ("deny 12 [1]&1f=00-04", "allow r 12 [1]=25", false),
            ("deny 12 [1]=03", "allow r 12 [1]&1f=03", false),
            ("deny 12 [2]=03", "allow r 12 [1]=03", false),
            ("deny 13", "allow r 12", false),
        ] {
            assert_eq!(
                covers(&rule(outer), &rule(inner), 0x12),
                expected,
                "{outer} {inner}"
            );
        }
    }

    #[test]
    fn probes_match_their_rule() {
        for (text, count) in [
            ("allow r 12", 32),
            ("allow r 9e [1]&1f=10,12", 2),
            ("allow r 85", 256),
            ("allow r 85 [14]=ec [4]=d0-d1", 2),
        ] {
            let rule = rule(text);
            let probes = probes(&rule);
            assert_eq!(probes.len(), count, "{text}");
            assert!(probes.iter().all(|cdb| super::matches(&rule, cdb)));
        }
    }
}
