// SPDX-License-Identifier: GPL-2.0

//! The definitions of `rust/uapi/sgio_filter.h`, read from that file when this is compiled.

use crate::policy::{
    Layer,
    Reason,
    MAX_CDB, //
};

/// The file is open for writing.
pub const WRITE: u32 = defined("SGIO_FILTER_WRITE");
/// The question is about any device of a class.
pub const BY_CLASS: u32 = defined("SGIO_FILTER_BY_CLASS");
/// The sender is in a cgroup that the question names.
pub const AS_CGROUP: u32 = defined("SGIO_FILTER_AS_CGROUP");

const HEADER: &[u8] = include_bytes!("../../../rust/uapi/sgio_filter.h");

// The policy's codes are those of the header.
const _: () = {
    assert!(Reason::NoRule as u32 == defined("SGIO_FILTER_NO_RULE"));
    assert!(Reason::Unpriv as u32 == defined("SGIO_FILTER_UNPRIV"));
    assert!(Reason::Allowed as u32 == defined("SGIO_FILTER_ALLOWED"));
    assert!(Reason::Denied as u32 == defined("SGIO_FILTER_DENIED"));
    assert!(Reason::NeedsWrite as u32 == defined("SGIO_FILTER_NEEDS_WRITE"));
    assert!(Reason::OwnLuns as u32 == defined("SGIO_FILTER_OWN_LUNS"));
    assert!(Reason::NotOwner as u32 == defined("SGIO_FILTER_NOT_OWNER"));
    assert!(Layer::NONE as u32 == defined("SGIO_FILTER_LAYER_NONE"));
    assert!(Layer::Device as u32 == defined("SGIO_FILTER_LAYER_DEVICE"));
    assert!(Layer::Class as u32 == defined("SGIO_FILTER_LAYER_CLASS"));
    assert!(Layer::Grant as u32 == defined("SGIO_FILTER_LAYER_GRANT"));
    assert!(MAX_CDB as u32 == defined("SGIO_FILTER_CDB_MAX"));
};

/// Returns the value of `#define NAME VALUE`, where the value is decimal or like `(1u << 3)`.
const fn defined(name: &str) -> u32 {
    let define = b"#define ";
    let mut at = 0;
    while at < HEADER.len() {
        if starts(at, define) && starts(at + define.len(), name.as_bytes()) {
            at += define.len() + name.len();
            // Else it is the start of a longer name.
            if is_blank(at) {
                return value(at);
            }
        }
        at += 1;
    }
    panic!("the header does not define it");
}

const fn value(mut at: usize) -> u32 {
    let one = b"(1u << ";
    while is_blank(at) {
        at += 1;
    }
    if starts(at, one) {
        return 1 << decimal(at + one.len());
    }
    decimal(at)
}

const fn decimal(mut at: usize) -> u32 {
    let mut number = 0;
    let start = at;
    while HEADER[at].is_ascii_digit() {
        number = number * 10 + (HEADER[at] - b'0') as u32;
        at += 1;
    }
    assert!(at > start, "no number");
    number
}

const fn is_blank(at: usize) -> bool {
    matches!(HEADER[at], b' ' | b'\t')
}

const fn starts(at: usize, text: &[u8]) -> bool {
    let mut index = 0;
    while index < text.len() {
        if at + index >= HEADER.len() || HEADER[at + index] != text[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_header() {
        assert_eq!((WRITE, BY_CLASS), (1, 2));
        assert_eq!(defined("SGIO_FILTER_CDB_MAX"), 32);
        assert_eq!(defined("SGIO_FILTER_NOT_OWNER"), 6);
        assert_eq!(defined("SGIO_FILTER_OUTCOME_EMULATED"), 4);
    }

    #[test]
    #[should_panic = "does not define"]
    fn what_is_not_defined() {
        defined("SGIO_FILTER_LAYER");
    }
}
