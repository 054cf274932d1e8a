// SPDX-License-Identifier: GPL-2.0

//! An item of `allow` or `deny`: a command by name or by number.

use crate::{hex, names};
use sgio_policy::policy::{Access, Change, Class, ParseError, Rule};

/// A command as it is named in a file: `compare-and-write`, `r persistent-reserve-in`, `w 5f [1]&1f=00`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandItem {
    /// For `allow`: what the file says of the open it needs, if it does.
    pub access: Option<Access>,
    /// Name, opcodes or the matching part of a rule.
    pub text: String,
    /// It is refused, not allowed.
    pub deny: bool,
}

/// Why a command is none, and at which character of the item (counted from 0), if that is known.
pub(super) type Wrong = (Option<usize>, String);

impl CommandItem {
    /// Takes an item apart. What it names is not looked at yet.
    pub(super) fn new(item: &str, deny: bool) -> Result<CommandItem, Wrong> {
        let (access, text) = match item.split_once([' ', '\t']) {
            Some(("r", rest)) => (Some(Access::Read), rest.trim()),
            Some(("w", rest)) => (Some(Access::Write), rest.trim()),
            _ => (None, item.trim()),
        };
        // `tag#12` is a word of the kernel's log.
        let comment = text.starts_with('#') || text.contains(" #") || text.contains("\t#");
        if text.is_empty() || text.contains('\n') || comment {
            return Err((None, "an item is one command, without comment".into()));
        }
        if let Some(plain) = hex::without_h(text) {
            let message = format!("bytes are written without h: \"{plain}\"");
            return Err((item.find(text), message));
        }
        if deny && access.is_some() {
            return Err((Some(0), "what is refused needs no r or w".into()));
        }
        if text.split([' ', '\t']).any(|word| word.starts_with("for=")) {
            let message = "a rule of a file does not end: leave 'for=' out";
            return Err((item.find("for="), message.into()));
        }
        let command = CommandItem {
            access,
            text: text.to_owned(),
            deny,
        };
        match command.numeric(Access::Write) {
            // Which class it is for tells what they are.
            _ if command.is_bytes() => Ok(command),
            Ok(rule) if names::contradiction(&rule).is_some() => {
                let byte = names::contradiction(&rule).unwrap_or_default();
                let message = format!(
                    "no value of byte {byte} meets all conditions on it, so it matches no command"
                );
                Err((item.find('['), message))
            }
            Err(_) if nearly_bytes(text).is_some() => {
                Err((item.find(text), nearly_bytes(text).unwrap_or_default()))
            }
            Err(error) if looks_numeric(text) => {
                // The error counts in `allow w <text>`, the file has `<text>` somewhere in the item.
                let prefix = if deny { "deny " } else { "allow w " };
                let column = (error.column as usize).saturating_sub(1 + prefix.len());
                let at = item.find(text).unwrap_or(0) + column;
                Err((Some(at), error.kind.to_string()))
            }
            _ => Ok(command),
        }
    }

    /// Checks that it is a command on that class, or on any, if none is given.
    pub(super) fn check(&self, class: Option<Class>) -> Result<(), String> {
        let on = |class| names::rules(&self.text, class, self.access).map(|_| ());
        if !self.is_bytes() && self.numeric(Access::Write).is_ok() {
            return Ok(());
        }
        let result = match class {
            Some(class) => on(class),
            // What can be read in two ways on one class is not left to the devices that come.
            None if self.is_bytes() => Class::ALL.into_iter().try_for_each(on),
            None if Class::ALL.into_iter().any(|class| on(class).is_ok()) => Ok(()),
            None => on(Class::DISK),
        };
        result.map_err(|error| format!("{error:#}"))
    }

    /// Its rules on a class.
    ///
    /// # Errors
    ///
    /// Why it is no command of that class.
    pub fn rules(&self, class: Class) -> Result<Vec<Rule>, String> {
        let words = |error: anyhow::Error| format!("{error:#}");
        let access = match (self.deny, self.access) {
            (true, _) => None,
            (false, Some(access)) => Some(access),
            (false, None) => return names::by_default(&self.text, class).map_err(words),
        };
        match self.numeric(access.unwrap_or(Access::Write)) {
            Ok(rule) if !self.is_bytes() => Ok(vec![rule]),
            _ => names::rules(&self.text, class, access).map_err(words),
        }
    }

    /// Tells whether it is bytes: an opcode, a list of them, or a CDB.
    fn is_bytes(&self) -> bool {
        self.text.starts_with("op:") || hex::read(&self.text).is_some()
    }

    /// The rule, if the text is the matching part of one.
    fn numeric(&self, access: Access) -> Result<Rule, ParseError> {
        let verdict = match (self.deny, access) {
            (true, _) => "deny",
            (false, Access::Read) => "allow r",
            (false, Access::Write) => "allow w",
        };
        let line = format!("{verdict} {}", self.text);
        let rule = Change::parse(line.as_bytes())?.rules().next();
        let rule = rule.expect("a text that is not a reset has a rule");
        Ok(rule.permanent().expect("new() has refused it"))
    }
}

/// What is wrong with a text that is bytes but for a mistake.
fn nearly_bytes(text: &str) -> Option<String> {
    hex::mistake(text).or_else(|| hex::other_marks(text))
}

/// Tells opcodes gone wrong from names gone wrong.
fn looks_numeric(text: &str) -> bool {
    let word = text.split([' ', '\t', '[']).next().unwrap_or_default();
    let digits = |c: char| c.is_ascii_hexdigit() || matches!(c, ',' | '-');
    word.starts_with("0x") || text.contains('[') && word.len() <= 2 || word.chars().all(digits)
}

#[cfg(test)]
mod tests {
    use super::CommandItem;
    use sgio_policy::policy::Class;

    fn rules(item: &str, deny: bool) -> Result<Vec<String>, String> {
        let command =
            CommandItem::new(item, deny).map_err(|(at, text)| format!("{at:?} {text}"))?;
        let rules = command.rules(Class::DISK)?;
        Ok(rules.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn numbers() {
        for (item, deny, expected) in [
            ("r 5e", false, "allow r 5e"),
            ("w 5F  [1]&1f=04,00", false, "allow w 5f [1]&1f=00,04"),
            ("w\tc0-ff", false, "allow w c0-ff"),
            ("48", true, "deny 48"),
            ("0x48", true, "deny 48"),
            ("w 16,17,56,57", false, "allow w 16-17,56-57"),
            ("r 5e,5f", false, "allow r 5e-5f"),
            ("op:5f,06", false, "allow w 06,5f"),
            ("op:5f,06", true, "deny 06,5f"),
            // A CDB is what was sent.
            ("r cdb:5f 06", false, "allow r 5f [1]&1f=06"),
            (
                "5f 06 00 00 00 00 00 00 18 00",
                false,
                "allow w 5f [1]&1f=06",
            ),
            ("cdb:5e00", true, "deny 5e [1]&1f=00"),
        ] {
            assert_eq!(rules(item, deny), Ok(vec![expected.to_owned()]));
        }
    }

    #[test]
    fn mistakes() {
        for (item, deny, at) in [
            ("r 5", false, "Some(2)"),
            ("w 5f [1]&1f=20", false, "Some(12)"),
            ("5e,", true, "Some(3)"),
            ("r 5e", true, "Some(0)"),
            ("5e # x", true, "None"),
            ("w 89 for=600", false, "Some(5)"),
            ("5e\tfor=", true, "Some(3)"),
            ("", true, "None"),
            ("w ", false, "None"),
            ("85 [14]=ec [14]=f4", true, "Some(3)"),
            ("w 5f [1]&1f=00 [1]&1f=03", false, "Some(5)"),
        ] {
            let error = rules(item, deny).unwrap_err();
            assert!(error.starts_with(at), "{item}: {error}");
        }
        for item in [
            "85 08 0e",
            "w 5f 06",
            "0x5f 0x06",
            "5f,06",
            "12,00,00",
            // As many opcodes as a CDB of the first is long.
            "48 15 55 3b 3f 04 a2 b5 85 a1",
            "15 55 3b 3f 04 48",
            "15, 55, 3b, 3f, 04, 48",
            "[15 55 3b 3f 04 48]",
        ] {
            let command = CommandItem::new(item, false).unwrap();
            for error in [
                command.check(Some(Class::DISK)).unwrap_err(),
                command.check(None).unwrap_err(),
                command.rules(Class::DISK).err().unwrap(),
            ] {
                assert!(error.contains("can be read in two ways"), "{item}: {error}");
            }
        }
    }
}
