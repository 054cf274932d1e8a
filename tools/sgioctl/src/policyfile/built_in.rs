// SPDX-License-Identifier: GPL-2.0

//! The profiles that are part of the program.

use super::{convert, Fault, Profiles};

/// The text of each profile that is built in.
const BUILT_IN: [(&str, &str); 12] = [
    ("stock", include_str!("../../profiles/stock.toml")),
    ("disk-guest", include_str!("../../profiles/disk-guest.toml")),
    (
        "disk-guest-pr",
        include_str!("../../profiles/disk-guest-pr.toml"),
    ),
    (
        "disk-guest-reservations",
        include_str!("../../profiles/disk-guest-reservations.toml"),
    ),
    ("smart-ro", include_str!("../../profiles/smart-ro.toml")),
    ("smart-sct", include_str!("../../profiles/smart-sct.toml")),
    ("smart-test", include_str!("../../profiles/smart-test.toml")),
    (
        "storage-mgmt",
        include_str!("../../profiles/storage-mgmt.toml"),
    ),
    (
        "optical-rip",
        include_str!("../../profiles/optical-rip.toml"),
    ),
    ("tape-drive", include_str!("../../profiles/tape-drive.toml")),
    (
        "tape-changer",
        include_str!("../../profiles/tape-changer.toml"),
    ),
    ("enclosure", include_str!("../../profiles/enclosure.toml")),
];

impl Profiles {
    /// Those built in.
    ///
    /// # Errors
    ///
    /// None: tests see to it that they can be read.
    pub fn built_in() -> Result<Profiles, Vec<Fault>> {
        let mut profiles = Profiles::default();
        for (name, source) in BUILT_IN {
            let file = format!("<built in>/{name}.toml");
            let parsed = convert::parse(&file, source)?;
            for (name, profile) in parsed.profiles {
                profiles.replace(name, profile);
            }
        }
        Ok(profiles)
    }
}
