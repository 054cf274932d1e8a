// SPDX-License-Identifier: GPL-2.0

//! A policy that changes while others send: what it may have been when a command was decided upon.
//!
//! Time is a counter, which the writer of the policy raises before each write(2) and behind it, and of which a
//! sender tells the values before its command and behind. The writer tells of each change, before it raises
//! the counter to TIME:
//!
//! ```text
//! begin TIME device|class|table|unpriv_sgio|transaction BYTES    and so many bytes, and a line feed
//! end TIME ok|ERRNO
//! lost                                                           there was nothing to write to
//! ```
//!
//! A writer may be killed anywhere, and another one go on. While the module is not there nothing is allowed,
//! which is less than any policy; so what was allowed can be judged, and what was refused cannot.

use crate::{
    decide::{decide, Answer, Rules},
    text::{self, Failure, Listed},
    transaction::{self, Section, Target},
};

/// What decides on one device.
#[derive(Clone, Default, PartialEq)]
struct Policy {
    unpriv: bool,
    device: Vec<Listed>,
    /// Without the built-in table, which must have nothing of what is sent.
    class: Vec<Listed>,
}

/// All that the policy may have been.
pub struct History {
    /// By time.
    at: Vec<Vec<Policy>>,
    /// What a change that has begun makes of each policy.
    change: Option<Vec<Option<Policy>>>,
    /// Whether a change must do as it says: nothing was lost before it.
    known: bool,
    /// Answers to the writer that are not the reference's.
    pub wrong: Vec<String>,
}

impl Default for History {
    fn default() -> History {
        History {
            at: vec![vec![Policy::default()]],
            change: None,
            known: false,
            wrong: Vec::new(),
        }
    }
}

impl History {
    /// Goes on with what a writer told, whose last record may be cut off. Other lines are skipped.
    pub fn go_on(&mut self, mut told: &[u8]) -> Option<()> {
        // The writer before may have been killed.
        self.known &= self.change.take().is_none();
        while let Some(end) = told.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&told[..end]).into_owned();
            told = &told[end + 1..];
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["begin", time, what, bytes] => {
                    let bytes: usize = bytes.parse().ok()?;
                    let Some(text) = told.get(..bytes) else {
                        break;
                    };
                    told = &told[bytes..];
                    self.begin(time.parse().ok()?, what, text)?;
                }
                ["end", time, answer] => self.end(time.parse().ok()?, answer)?,
                ["lost"] => self.known = false,
                _ => (),
            }
        }
        Some(())
    }

    fn begin(&mut self, time: usize, what: &str, text: &[u8]) -> Option<()> {
        // One that was told of and not counted has not come to the kernel, or is within what was before.
        self.at.truncate(time);
        let before = self.at.last().filter(|_| self.at.len() == time)?;
        let after = before.iter().map(|policy| policy.changed(what, text));
        let after: Vec<Option<Policy>> = after.collect::<Option<_>>()?;
        let mut all = before.clone();
        for policy in after.iter().flatten() {
            if !all.contains(policy) {
                all.push(policy.clone());
            }
        }
        self.at.push(all);
        self.change = Some(after);
        Some(())
    }

    fn end(&mut self, time: usize, answer: &str) -> Option<()> {
        let after = self.change.take()?;
        if self.at.len() != time || time < 2 {
            return None;
        }
        let taken: Vec<Policy> = after.iter().flatten().cloned().collect();
        if answer == "ok" {
            if taken.is_empty() {
                self.wrong
                    .push(format!("{time}: accepted, though a rule is not there"));
            }
            self.at.push(taken);
            self.known = true;
            return Some(());
        }
        if answer == "ENOENT" && self.known && taken.len() == after.len() {
            self.wrong
                .push(format!("{time}: ENOENT, though each rule is there"));
        }
        self.known &= matches!(answer, "EINTR" | "ENOMEM" | "ENOENT");
        self.at.push(self.at[time - 2].clone());
        Some(())
    }

    /// How many changes there were.
    pub fn changes(&self) -> usize {
        self.at.len() / 2
    }

    /// Whether a command may have been allowed from one time to another. `None`: they were not.
    pub fn may(&self, from: usize, to: usize, cdb: &[u8], write: bool) -> Option<bool> {
        let mut policies = self.at.get(from..=to)?.iter().flatten();
        Some(policies.any(|policy| policy.allows(cdb, write)))
    }
}

impl Policy {
    /// What a text makes of it. The inner `None`: nothing, since it has not the rule that is to go. The outer
    /// one: the text is none that can be applied.
    fn changed(&self, what: &str, text: &[u8]) -> Option<Option<Policy>> {
        let mut new = self.clone();
        let done = match what {
            "device" => edit(&mut new.device, &text::parse(text).ok()?),
            "class" => edit(&mut new.class, &text::parse(text).ok()?),
            "table" => {
                new.class.clear();
                Ok(())
            }
            "unpriv_sgio" => {
                new.unpriv = text == b"1\n";
                Ok(())
            }
            "transaction" => {
                (transaction::parse(text).ok()?.iter()).try_for_each(|s| new.section(s))
            }
            _ => return None,
        };
        match done {
            Ok(()) => Some(Some(new)),
            Err(Failure::NotFound(_)) => Some(None),
            Err(Failure::TooMany(_)) => None,
        }
    }

    fn section(&mut self, section: &Section) -> Result<(), Failure> {
        let list = match section.target {
            Target::Device(..) => &mut self.device,
            Target::Class(_) => &mut self.class,
        };
        if let Some(unpriv) = section.switches.get("unpriv_sgio") {
            self.unpriv = *unpriv;
        }
        if section.table.is_some() {
            list.clear();
        }
        section
            .rules
            .as_ref()
            .map_or(Ok(()), |rules| edit(list, rules))
    }

    fn allows(&self, cdb: &[u8], write: bool) -> bool {
        let rules = Rules {
            unpriv: self.unpriv,
            own_luns: false,
            device: &self.device,
            grants: &[],
            class: &self.class,
            now: 0,
        };
        matches!(
            decide(&rules, cdb, write),
            Answer::Unpriv | Answer::Allowed(..)
        )
    }
}

fn edit(list: &mut Vec<Listed>, change: &text::Change) -> Result<(), Failure> {
    *list = change.apply(list, 0)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::History;

    fn history(told: &[&str]) -> History {
        let mut history = History::default();
        for told in told {
            assert!(history.go_on(told.as_bytes()).is_some(), "{told}");
        }
        history
    }

    const ALLOW: &str = "begin 1 device 11\nallow r c0\n\nend 2 ok\n";

    #[test]
    fn a_change_is_in_force_when_it_ends() {
        let history = history(&[ALLOW]);
        let may = |from, to| history.may(from, to, &[0xc0], false);
        assert_eq!(
            [may(0, 0), may(0, 1), may(1, 1), may(2, 2)],
            [Some(false), Some(true), Some(true), Some(true)]
        );
        assert_eq!(may(2, 3), None);
        assert_eq!(history.may(2, 2, &[0xc1], false), Some(false));
        assert_eq!(history.changes(), 1);
        assert!(history.wrong.is_empty());
    }

    #[test]
    fn one_that_fails_is_none() {
        let history = history(&[
            ALLOW,
            "begin 3 device 1\n\n\nend 4 ENOMEM\nbegin 5 unpriv_sgio 2\n1\n\nend 6 ENODEV\n",
        ]);
        let may = |time, opcode| history.may(time, time, &[opcode], false);
        assert_eq!([may(3, 0xc0), may(4, 0xc0)], [Some(true), Some(true)]);
        assert_eq!([may(5, 0xff), may(6, 0xff)], [Some(true), Some(false)]);
    }

    #[test]
    fn a_rule_that_is_to_go_is_there_or_not() {
        let gone = "begin 3 device 12\n-allow r c0\n\nend 4 ";
        let again = "begin 5 device 12\n-allow r c0\n\nend 6 ";
        let wrong = |first: &str, second: &str| {
            let told = format!("{ALLOW}{gone}{first}\n{again}{second}\n");
            history(&[&told]).wrong.len()
        };
        assert_eq!(wrong("ok", "ENOENT"), 0);
        assert_eq!(wrong("ok", "ok"), 1);
        assert_eq!(wrong("ENOENT", "ok"), 1);
        assert_eq!(wrong("EINTR", "ok"), 0);
        // What was there may have gone with the module.
        let told = format!("{ALLOW}lost\n{gone}ENOENT\n");
        assert!(history(&[&told]).wrong.is_empty());
    }

    #[test]
    fn where_a_writer_was_killed_both_may_be() {
        // In the middle of a change; of a record, twice, the second time of one that was counted.
        for end in [
            "",
            "begin 3 dev",
            "begin 3 device 12\n-allow",
            "begin 3 device 12\n-allow r c0\n\nen",
        ] {
            let next = "begin 3 transaction 46\ndevice 6:0:0:0\nunpriv_sgio 0\nrules\nallow r c2\n\nend 4 ok\n";
            let history = history(&[&format!("{ALLOW}{end}"), next]);
            let may = |time, opcode| history.may(time, time, &[opcode], false);
            assert_eq!(
                [may(3, 0xc0), may(3, 0xc2), may(4, 0xc0), may(4, 0xc2)],
                [true, true, false, true].map(Some)
            );
        }
        let between = "begin 3 device 12\n-allow r c0\n\n";
        let history = history(&[ALLOW, between, "begin 4 table 7\nstrict\n\nend 5 ok\n"]);
        assert_eq!(history.may(5, 5, &[0xc0], false), Some(true));
        assert!(history.wrong.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_no_history() {
        for told in [
            "begin 2 device 1\n\n\n",
            "begin 1 device 4\nnone\n",
            "begin 1 knob 1\n\n\n",
            "begin one device 1\n\n\n",
            "end 1 ok\n",
        ] {
            assert!(
                History::default().go_on(told.as_bytes()).is_none(),
                "{told}"
            );
        }
    }
}
