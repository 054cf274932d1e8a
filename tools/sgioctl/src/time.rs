// SPDX-License-Identifier: GPL-2.0

//! Times on the command line.

use anyhow::{bail, Context as _, Result};

/// The longest that a rule can be given: a year and a day, see sgio_filter(4).
const MAX_SECONDS: u64 = 366 * 24 * 60 * 60;

/// A time of the command line, in seconds: `90s`, `10m`, `2h`, `1d`.
///
/// # Errors
///
/// Anything else, 0 included.
pub fn duration(text: &str) -> Result<u64> {
    let wrong = || format!("'{text}' is no time: a number and s, m, h or d, like 10m, up to 366d");
    let unit = text.chars().last().with_context(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => bail!(wrong()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default();
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        bail!(wrong());
    }
    let number: u64 = number.parse().with_context(wrong)?;
    number
        .checked_mul(seconds)
        .filter(|seconds| (1..=MAX_SECONDS).contains(seconds))
        .with_context(wrong)
}

/// A time as people read it: `574 s`, `10 min`, `2 h 5 min`, `3 d`.
pub fn words(seconds: u64) -> String {
    let units = [("d", 24 * 60 * 60), ("h", 60 * 60), ("min", 60), ("s", 1)];
    let mut left = seconds;
    let mut words = Vec::new();
    for (unit, length) in units {
        if left >= length && words.len() < 2 {
            words.push(format!("{} {unit}", left / length));
            left %= length;
        }
    }
    if words.is_empty() {
        words.push("0 s".to_owned());
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(duration("90s").unwrap(), 90);
        assert_eq!(duration("10m").unwrap(), 600);
        assert_eq!(duration("2h").unwrap(), 7200);
        assert_eq!(duration("366d").unwrap(), 31_622_400);
        for wrong in [
            "",
            "10",
            "m",
            "0m",
            "-1m",
            "+1m",
            "1.5h",
            "1 h",
            "10µ",
            "367d",
            "99999999999999999999d",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_read_at_a_glance() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (574, "9 min 34 s"),
            (3600, "1 h"),
            (90_061, "1 d 1 h"),
        ] {
            assert_eq!(words(seconds), expected);
        }
    }
}
