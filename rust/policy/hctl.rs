// SPDX-License-Identifier: GPL-2.0

//! The address of a SCSI device, as text and as numbers.

use core::{
    fmt::{
        Display,
        Formatter, //
    },
    str::FromStr, //
};

/// The address of a SCSI device: host, channel, target, logical unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Hctl {
    /// The number of the host.
    pub host: u32,
    /// The channel of the host.
    pub channel: u32,
    /// The target on the channel.
    pub target: u32,
    /// The logical unit, as the kernel numbers it.
    pub lun: u64,
}

impl From<(u32, u32, u32, u64)> for Hctl {
    fn from((host, channel, target, lun): (u32, u32, u32, u64)) -> Hctl {
        Hctl {
            host,
            channel,
            target,
            lun,
        }
    }
}

impl From<Hctl> for (u32, u32, u32, u64) {
    fn from(hctl: Hctl) -> (u32, u32, u32, u64) {
        (hctl.host, hctl.channel, hctl.target, hctl.lun)
    }
}

/// A text is not four decimal numbers, separated by colons.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HctlError;

impl Display for HctlError {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        f.write_str("expected an address like 6:0:0:0")
    }
}

impl core::error::Error for HctlError {}

impl Display for Hctl {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        let Hctl {
            host,
            channel,
            target,
            lun,
        } = self;
        write!(f, "{host}:{channel}:{target}:{lun}")
    }
}

impl FromStr for Hctl {
    type Err = HctlError;

    fn from_str(text: &str) -> Result<Hctl, HctlError> {
        let mut parts = text.split(':');
        let mut part = || parts.next().unwrap_or_default();
        let hctl = Hctl {
            host: decimal(part())?,
            channel: decimal(part())?,
            target: decimal(part())?,
            lun: decimal(part())?,
        };
        match parts.next() {
            None => Ok(hctl),
            Some(_) => Err(HctlError),
        }
    }
}

/// A decimal number of digits alone.
pub(super) fn decimal<T: FromStr>(text: &str) -> Result<T, HctlError> {
    // The parser of the standard library takes a sign, too.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HctlError);
    }
    text.parse().map_err(|_| HctlError)
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_hctl))]
mod tests {
    use super::{
        super::tests::support::prints_as,
        Hctl,
        HctlError, //
    };

    #[test]
    fn addresses() {
        for (text, host, channel, target, lun) in [
            ("0:0:0:0", 0, 0, 0, 0),
            ("6:1:12:281474976710657", 6, 1, 12, 281_474_976_710_657),
            (
                "4294967295:4294967295:4294967295:18446744073709551615",
                u32::MAX,
                u32::MAX,
                u32::MAX,
                u64::MAX,
            ),
        ] {
            let hctl = Hctl {
                host,
                channel,
                target,
                lun,
            };
            assert_eq!(text.parse(), Ok(hctl));
            assert!(prints_as(&hctl, text));
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            ":",
            ":::",
            "6:0:0",
            "6:0:0:",
            "6:0:0:0:0",
            "6:0:0:0:",
            " 6:0:0:0",
            "6:0:0:0\n",
            "+6:0:0:0",
            "6:-0:0:0",
            "6:0:0x0:0",
            "a:0:0:0",
            "4294967296:0:0:0",
            "0:0:0:18446744073709551616",
            "\u{661}:0:0:0",
        ] {
            assert_eq!(text.parse::<Hctl>(), Err(HctlError));
        }
    }
}
