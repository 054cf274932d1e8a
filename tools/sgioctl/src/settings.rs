// SPDX-License-Identifier: GPL-2.0

//! The settings of a device, besides its rules: the one place that names all of them.

use serde::{Serialize, Serializer};
use sgio_policy::policy::ReportLuns;

/// The files of these names in a device's `sgio_filter`, and the keys of a policy file.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
pub struct Settings {
    /// Everybody who can open the device may send everything.
    pub unpriv_sgio: bool,
    /// What would be refused is let through and reported.
    pub complain: bool,
    /// Who answers REPORT LUNS.
    #[serde(serialize_with = "name")]
    pub report_luns: ReportLuns,
    /// One cgroup at a time may reserve.
    pub pr_exclusive: bool,
    /// `/dev/sgN` is filtered however it is open.
    pub filter_sg: bool,
}

fn name<S: Serializer>(who: &ReportLuns, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(who.name())
}

impl Settings {
    /// What a device has when it appears.
    pub const DEFAULT: Settings = Settings {
        unpriv_sgio: false,
        complain: false,
        report_luns: ReportLuns::Passthrough,
        pr_exclusive: false,
        filter_sg: false,
    };

    /// The same, but for what gives a sender more than the rules do.
    pub fn without_what_widens(self) -> Settings {
        Settings {
            unpriv_sgio: false,
            complain: false,
            ..self
        }
    }

    /// Those that are on or off, by name.
    pub fn switches(&self) -> [(&'static str, bool); 4] {
        [
            ("unpriv_sgio", self.unpriv_sgio),
            ("complain", self.complain),
            ("pr_exclusive", self.pr_exclusive),
            ("filter_sg", self.filter_sg),
        ]
    }

    /// The lines of a section of a transaction.
    pub fn lines(&self) -> String {
        format!(
            "unpriv_sgio {}\ncomplain {}\nreport_luns {}\npr_exclusive {}\nfilter_sg {}\n",
            u8::from(self.unpriv_sgio),
            u8::from(self.complain),
            self.report_luns.name(),
            u8::from(self.pr_exclusive),
            u8::from(self.filter_sg),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn every_setting_has_a_line_and_a_key() {
        let json = serde_json::to_value(Settings::DEFAULT).unwrap();
        let lines = Settings::DEFAULT.lines();
        let mut names: Vec<&str> = lines
            .lines()
            .filter_map(|line| line.split(' ').next())
            .collect();
        let mut keys: Vec<&str> = json
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        keys.sort_unstable();
        assert_eq!(names, keys);
    }
}
