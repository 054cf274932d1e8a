// SPDX-License-Identifier: GPL-2.0

//! Device classes: the peripheral device types, and the names they go by.
//!
//! References: SPC-5 "PERIPHERAL DEVICE TYPE field" (standard INQUIRY data, byte 0 bits 4..0);
//! `include/scsi/scsi_proto.h`, which names the types that Linux drivers bind to.

/// A device class: one of the 32 peripheral device types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Class(u8);

/// Names by type, lower case and fit for a directory name; a reserved type is its number.
const NAMES: [&str; 32] = [
    "disk",
    "tape",
    "printer",
    "processor",
    "worm",
    "cdrom",
    "scanner",
    "optical",
    "changer",
    "communications",
    "0a",
    "0b",
    "raid",
    "enclosure",
    "rbc",
    "ocrw",
    "bridge",
    "osd",
    "adc",
    "security",
    "zbc",
    "15",
    "16",
    "17",
    "18",
    "19",
    "1a",
    "1b",
    "1c",
    "1d",
    "wlun",
    "unknown",
];

impl Class {
    /// Direct access block device (SBC): `sd`.
    pub const DISK: Class = Class(0x00);
    /// Sequential access device (SSC): `st`.
    pub const TAPE: Class = Class(0x01);
    /// Printer device (obsolete).
    pub const PRINTER: Class = Class(0x02);
    /// Processor device (obsolete; some scanners say so).
    pub const PROCESSOR: Class = Class(0x03);
    /// Write-once device: `sr`.
    pub const WORM: Class = Class(0x04);
    /// CD, DVD and BD device (MMC): `sr`.
    pub const CDROM: Class = Class(0x05);
    /// Scanner device (obsolete).
    pub const SCANNER: Class = Class(0x06);
    /// Optical memory device (obsolete): `sd`.
    pub const OPTICAL: Class = Class(0x07);
    /// Media changer (SMC): `ch`.
    pub const CHANGER: Class = Class(0x08);
    /// Communications device (obsolete).
    pub const COMMUNICATIONS: Class = Class(0x09);
    /// Storage array controller (SCC-2).
    pub const RAID: Class = Class(0x0c);
    /// Enclosure services device (SES): `ses`.
    pub const ENCLOSURE: Class = Class(0x0d);
    /// Simplified direct access device (RBC): `sd`.
    pub const RBC: Class = Class(0x0e);
    /// Optical card reader/writer device (OCRW).
    pub const OCRW: Class = Class(0x0f);
    /// Bridge controller.
    pub const BRIDGE: Class = Class(0x10);
    /// Object-based storage device (OSD).
    pub const OSD: Class = Class(0x11);
    /// Automation/drive interface (ADC).
    pub const ADC: Class = Class(0x12);
    /// Security manager device.
    pub const SECURITY: Class = Class(0x13);
    /// Host managed zoned block device (ZBC): `sd`.
    pub const ZBC: Class = Class(0x14);
    /// Well known logical unit (SPC-5).
    pub const WLUN: Class = Class(0x1e);
    /// Unknown, or no device.
    pub const UNKNOWN: Class = Class(0x1f);

    /// Every class, by type code.
    pub const ALL: [Class; 32] = {
        let mut all = [Class(0); 32];
        let mut code = 0;
        while code < 32 {
            all[code as usize] = Class(code);
            code += 1;
        }
        all
    };

    /// Returns the class of a peripheral device type as the kernel keeps it.
    ///
    /// Values above 1fh (the kernel has 7fh for "no logical unit") are [`Class::UNKNOWN`].
    pub const fn from_type(code: u8) -> Class {
        if code <= Class::UNKNOWN.0 {
            Class(code)
        } else {
            Class::UNKNOWN
        }
    }

    /// Returns the peripheral device type, 00h to 1fh.
    pub const fn type_code(self) -> u8 {
        self.0
    }

    /// Returns the name of the class.
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("unknown")
    }

    /// Returns the class of that name, `None` if there is none; case counts.
    pub fn from_name(name: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.name() == name)
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_class))]
mod tests {
    use super::Class;

    #[test]
    fn types_and_names_are_one_to_one() {
        for (code, class) in (0u8..).zip(Class::ALL) {
            assert_eq!(class.type_code(), code);
            assert!(Class::from_type(code) == class);
            assert!(Class::from_name(class.name()) == Some(class));
        }
        assert!(Class::from_name("").is_none());
        assert!(Class::from_name("DISK").is_none());
        assert!(Class::from_name("disk ").is_none());
    }

    #[test]
    fn names_of_the_standard() {
        for (code, name) in [
            (0x00, "disk"),
            (0x01, "tape"),
            (0x05, "cdrom"),
            (0x07, "optical"),
            (0x08, "changer"),
            (0x0a, "0a"),
            (0x0c, "raid"),
            (0x0d, "enclosure"),
            (0x0e, "rbc"),
            (0x10, "bridge"),
            (0x11, "osd"),
            (0x12, "adc"),
            (0x14, "zbc"),
            (0x1d, "1d"),
            (0x1e, "wlun"),
            (0x1f, "unknown"),
        ] {
            assert_eq!(Class::from_type(code).name(), name);
        }
    }

    #[test]
    fn out_of_range_is_unknown() {
        for code in 0x20..=0xffu8 {
            assert!(Class::from_type(code) == Class::UNKNOWN);
        }
    }
}
