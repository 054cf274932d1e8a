// SPDX-License-Identifier: GPL-2.0

//! Identities as people have them, and what documents say of those that have none.

use super::common::Tree;

#[test]
fn identities_match_or_lint_says_how_to_write_them() {
    let tree = Tree::usual();
    for (selector, fix) in [
        (
            "wwid = \"0x5000c50012345678\"",
            "write wwid = \"naa.5000c50012345678\"",
        ),
        (
            "wwid = \"wwn-0x5000c50012345678\"",
            "write wwid = \"naa.5000c50012345678\"",
        ),
        (
            "wwid = \"0x60014051234567890123456789012345\"",
            "write wwid = \"naa.60014051234567890123456789012345\"",
        ),
        // lsblk prints the first half: a pattern of it would mean every unit of the array.
        ("wwid = \"0x6001405123456789\"", "write the whole WWID"),
        (
            "wwid = \"naa.0x6001405123456789\"",
            "write wwid = \"naa.6001405123456789\"",
        ),
        (
            "wwid = \"naa.6001-4051-2345\"",
            "write wwid = \"naa.600140512345\"",
        ),
        (
            "wwid = \"eui.00:25:38:5a\"",
            "write wwid = \"eui.0025385a\"",
        ),
        ("wwid = \"naa 600140512345678\"", "as 'sgioctl show' does"),
        (
            "wwid = \"5000C50012345678\"",
            "write wwid = \"naa.5000c50012345678\"",
        ),
        (
            "wwid = \"scsi-35000c50012345678\"",
            "write wwid = \"35000c50012345678\"",
        ),
        ("wwid = \"scsi-SLIO-ORG_disk_1\"", "write by_id"),
        ("wwid = \"mpatha\"", "as multipath does"),
        ("wwid = \"sda\"", "as 'sgioctl show' does"),
        (
            "wwid = \"/dev/disk/by-id/wwn-0x5000c50012345678\"",
            "write by_id = \"wwn-0x5000c50012345678\"",
        ),
        (
            "wwid = \"dm-uuid-mpath-3600140512345678\"",
            "write multipath = \"3600140512345678\"",
        ),
        ("by_id = \"sda\"", "the name of a link"),
        ("by_id = \"/dev/sda\"", "the link's name"),
        (
            "by_id = \"wwn-5000c50012345678\"",
            "write by_id = \"wwn-0x5000c50012345678\"",
        ),
        (
            "by_id = \"0x5000c50012345678\"",
            "write by_id = \"wwn-0x5000c50012345678\"",
        ),
        (
            "by_id = \"5000c50012345678\"",
            "write by_id = \"wwn-0x5000c50012345678\"",
        ),
        (
            "by_id = \"ata-SPINNER_2000_S1234-part1\"",
            "write by_id = \"ata-SPINNER_2000_S1234\"",
        ),
        ("by_id = \"dm-name-mpatha\"", "write multipath = \"mpatha\""),
        (
            "by_id = \"dm-uuid-mpath-3600140512345678\"",
            "write multipath = \"3600140512345678\"",
        ),
        (
            "by_path = \"pci-0000:00:1f.2-ata-1-part1\"",
            "write by_path = \"pci-0000:00:1f.2-ata-1\"",
        ),
        ("by_path = \"/dev/sda\"", "a link in /dev/disk/by-path"),
        ("multipath = \"/dev/dm-3\"", "the map's name"),
        (
            "multipath = \"mpathx (3600140599999999) dm-7 LIO-ORG,disk1\"",
            "give the map, mpathx, or its WWID, 3600140599999999",
        ),
        (
            "multipath = \"|- 16:0:0:0 sdq 65:0 active ready running\"",
            "give the path, 16:0:0:0 or sdq",
        ),
        (
            "serial = \" S1234\", exact = true",
            "write \"S1234\": devices are compared without",
        ),
        (
            "multipath = \"mpath-3600140512345678\"",
            "write multipath = \"3600140512345678\"",
        ),
        (
            "multipath = \"dm-uuid-mpath-3600140512345678\"",
            "write multipath = \"3600140512345678\"",
        ),
        ("hctl = \"[0:0:0:0]\"", "write hctl = \"0:0:0:0\""),
        ("hctl = \"0 0 0 0\"", "host:channel:target:lun"),
        (
            "initiator = \"0x2101001b32a90001:0x2001001b32a90001\"",
            "16 hex digits",
        ),
        ("initiator = \"host7\"", "16 hex digits"),
        ("target = \"192.168.1.1:3260\"", "iSCSI name"),
        (
            "target = \"iqn.2003-01.org.example:san,t,0x1\"",
            "write target = \"iqn.2003-01.org.example:san\"",
        ),
        ("transport = \"Fibre Channel\"", "use one of fc"),
        ("model = \"WDC_WD40EFRX-68N32N0\"", "16 characters"),
        ("class = \"Disk\"", "write \"disk\""),
    ] {
        let said = lint(&tree, selector);
        assert!(said.contains(fix), "{selector}: {said}");
    }
    for fine in [
        "wwid = \"naa.600140512345678\"",
        "wwid = \"NAA.600140512345678\"",
        "wwid = \"3600140512345678\"",
        "wwid = \"iqn.2001-05.com.example:lun7\"",
        "wwid = \"IQN.2001-05.com.example:lun7\"",
        "wwid = \"iqn.2001-05.com.example:lun.*\"",
        "wwid = \"eui.0025385A81B0DBF4\"",
        "wwid = \"naa.6001405AAAAAAAAAAAAAAAAAAAAAAAAA\"",
        "wwid = \"82001-05.com.example:lun7\"",
        "wwid = \"t10.ACME    MODEL 1.5*\"",
        "wwid = \"t10.ACME    MODEL 1.*\"",
        "by_id = \"ata-SPINNER_2000_S1234\"",
        "by_id = \"/dev/disk/by-id/ata-SPINNER_2000_S1234\"",
        "multipath = \"mpatha\"",
        "multipath = \"/dev/mapper/mpatha\"",
        "serial = \"S1234\"",
        "serial = \"S1234 \"",
        "model = \"SPINNER 2000\"",
        "model = \"SPINNER_2000\"",
        "transport = \"SATA\"",
    ] {
        let said = lint(&tree, fine);
        assert!(!said.contains("no device can match"), "{fine}: {said}");
    }
}

/// What lint says of a selector.
fn lint(tree: &Tree, selector: &str) -> String {
    let text = format!("[[device]]\nmatch = {{ {selector} }}\nrules = \"allow r 03\"\n");
    tree.write("/x.toml", &text);
    let path = tree.path("/x.toml");
    let output = tree.run(&["lint", path.to_str().unwrap()]);
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

#[test]
fn documents_say_what_has_no_knob_and_what_is_not_filtered() {
    let read = |path: &str| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
        std::fs::read_to_string(format!("{root}{path}")).unwrap()
    };
    for (file, words) in [
        ("Documentation/security.md", "megaraid_sas"),
        ("Documentation/security.md", "CCISS_PASSTHRU"),
        (
            "Documentation/admin-guide/multipath.md",
            "/sys/block/dm-0/queue",
        ),
        (
            "Documentation/admin-guide/multipath.md",
            "/sys/bus/scsi/devices/*/unpriv_sgio",
        ),
        (
            "Documentation/admin-guide/policy-files.md",
            "multipath map has no knob",
        ),
        (
            "Documentation/ABI/testing/sysfs-block-unpriv_sgio",
            "which RHEL had",
        ),
    ] {
        assert!(read(file).contains(words), "{file}: {words}");
    }
}
