// SPDX-License-Identifier: GPL-2.0

//! Identities as people have them from other programs, and as they are compared here.

/// A transport by the name that lsblk, smartctl or a person gives it.
pub(super) fn transport(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "sata" | "pata" | "ide" => "ata".to_owned(),
        "fibre" | "fcp" | "fc_host" => "fc".to_owned(),
        "tcm-loop" | "loopback" => "tcm_loop".to_owned(),
        _ => lower,
    }
}

/// Tells whether two names mean one transport.
pub(super) fn same_transport(one: &str, other: &str) -> bool {
    transport(one) == transport(other)
}

/// Serial numbers are compared without regard to how many blanks they have inside: udev and lsblk put underscores there.
pub(super) fn same_serial(own: &str, given: &str) -> bool {
    own == given || serial(own) == serial(given)
}

/// A serial number as it is compared.
pub(super) fn serial(text: &str) -> String {
    let split = |c: char| c.is_whitespace() || c == '_';
    let words: Vec<&str> = text.split(split).filter(|word| !word.is_empty()).collect();
    words.join("_")
}

/// The texts of INQUIRY as udev and lsblk write them: an underscore for each run of blanks.
pub(super) fn with_underscores(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_them_so() {
        assert_eq!(transport("SATA"), "ata");
        assert_eq!(transport("iSCSI"), "iscsi");
        assert!(same_serial("S2 34 ", "S2_34"));
        assert!(same_serial("S2   34", "S2 34"));
        assert!(!same_serial("S234", "S2 34"));
    }
}
