// SPDX-License-Identifier: GPL-2.0

//! Names of ATA commands need a protocol that carries them.

use super::{check, common::Tree, learn};
use sgioctl::hex;

/// ATA PASS-THROUGH(16) with protocol, feature, command and the low byte of the LBA.
fn ata(protocol: u8, feature: u8, command: u8, lba: u8) -> String {
    hex::hex(&[
        0x85,
        // With EXTEND where the log is read by a command of 48 bits, as programs send it.
        (protocol << 1) | u8::from([0x2f, 0x47].contains(&command)),
        0x2e,
        0,
        feature,
        0,
        // Of SANITIZE STATUS EXT it would be an order.
        u8::from(command != 0xb4),
        0,
        lba,
        0,
        0x4f,
        0,
        0xc2,
        0,
        command,
        0,
    ])
}

#[test]
fn an_ata_command_has_its_name_with_a_protocol_that_carries_it() {
    const NON_DATA: u8 = 3;
    const IN: u8 = 4;
    const OUT: u8 = 5;
    const DMA: u8 = 6;
    const NCQ: u8 = 12;
    let tree = Tree::usual();
    for (cdb, name) in [
        (ata(IN, 0, 0xec, 0), "identify"),
        (ata(NON_DATA, 0, 0xec, 0), ""),
        (ata(OUT, 0, 0xec, 0), ""),
        (ata(DMA, 0, 0xec, 0), ""),
        (ata(15, 0, 0xec, 0), ""),
        (ata(0, 0, 0xec, 0), ""),
        (ata(IN, 0, 0xa1, 0), "identify-packet-device"),
        (ata(NON_DATA, 0, 0, 0), "nop"),
        (ata(IN, 0, 0, 0), ""),
        (ata(1, 0, 0, 0), ""),
        (ata(IN, 0, 0x2f, 0), "read-log-ext"),
        (ata(IN, 1, 0x2f, 4), "read-log-ext-with-features"),
        (ata(DMA, 1, 0x47, 4), "read-log-dma-ext-with-features"),
        (ata(DMA, 0, 0x2f, 0), ""),
        (ata(DMA, 0, 0x47, 0), "read-log-dma-ext"),
        (ata(IN, 0, 0x47, 0), ""),
        (ata(OUT, 0, 0x3f, 0), "write-log-ext"),
        (ata(IN, 0, 0x3f, 0), ""),
        (ata(NCQ, 0, 0x60, 0), "read-fpdma-queued"),
        (ata(NCQ, 0, 0x63, 0), "ncq-non-data"),
        (ata(IN, 0xd0, 0xb0, 0), "smart-read-data"),
        (ata(NON_DATA, 0xd0, 0xb0, 0), "smart"),
        (ata(OUT, 0xd6, 0xb0, 0xe0), "smart-write-log"),
        (ata(IN, 0xd6, 0xb0, 0xe0), "smart"),
        (ata(NON_DATA, 0xda, 0xb0, 0), "smart-return-status"),
        (
            ata(NON_DATA, 0xd4, 0xb0, 0x81),
            "smart-execute-off-line-immediate",
        ),
        (ata(NON_DATA, 0, 0xe5, 0), "check-power-mode"),
        (ata(NON_DATA, 0, 0x98, 0), "check-power-mode-98"),
        (ata(NON_DATA, 0, 0xe7, 0), "flush-cache"),
        (ata(IN, 0, 0xe7, 0), ""),
        (ata(NON_DATA, 2, 0xef, 0), "set-features"),
        (ata(OUT, 0, 0xf1, 0), "security-set-password"),
        (ata(NON_DATA, 0, 0xf1, 0), ""),
        (ata(OUT, 0, 0xf4, 0), "security-erase"),
        (ata(NON_DATA, 0x12, 0xb4, 0), "sanitize-block-erase"),
        (ata(NON_DATA, 0, 0xb4, 0), "sanitize-status"),
        (ata(DMA, 1, 0x06, 0), "trim"),
        (ata(NON_DATA, 1, 0x06, 0), ""),
        (ata(IN, 0xc2, 0xb1, 0), "device-configuration-identify"),
        (ata(NON_DATA, 0, 0xb2, 0), "set-sector-configuration-ext"),
        (ata(9, 0, 0x08, 0), "device-reset"),
        (ata(NON_DATA, 0, 0x08, 0), ""),
        (ata(NON_DATA, 0, 0x80, 0), ""),
        (ata(NON_DATA, 0, 0xfa, 0), ""),
        (ata(NON_DATA, 0, 0xf0, 0), ""),
    ] {
        let text = check(&tree, "disk", &cdb);
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("command: "))
            .unwrap();
        let got = line.trim().split(' ').next().unwrap();
        let expected = match name {
            "" => "ata-pass-through-16".to_owned(),
            name => format!("ata-pass-through-16:{name}"),
        };
        assert_eq!(got, expected, "{cdb}: {text}");
    }
}

#[test]
fn bridges_to_nvme_are_not_taken_for_ata() {
    let tree = Tree::usual();
    // JMicron: command, data in, data out, response; ADMIN opcodes where ATA has the feature and the count. Realtek, ASMedia.
    let mut cdbs: Vec<String> = Vec::new();
    for byte in [0x80, 0x82, 0x84, 0x8f] {
        for command in [0x00, 0x06, 0xec, 0xb0, 0xe5, 0xa1] {
            cdbs.push(hex::hex(&[0xa1, byte, 0, 2, 0, 0, 0, 0, 0, command, 0, 0]));
        }
    }
    for admin in [0x06, 0x02, 0x10, 0x80] {
        cdbs.push(hex::hex(&[
            0xe4, 0, 2, admin, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]));
        cdbs.push(hex::hex(&[
            0xe6, admin, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]));
    }
    assert!(cdbs.len() >= 25);
    for cdb in &cdbs {
        let text = check(&tree, "disk", cdb);
        assert!(
            text.contains("(ATA PASS-THROUGH(12))") || text.contains("(vendor specific)"),
            "{cdb}: {text}"
        );
        assert!(
            text.contains("to allow it: sgioctl allow DEV --write '"),
            "{cdb}: {text}"
        );
        let learned = learn(&tree, cdb);
        assert!(learned.contains("unknown here"), "{cdb}: {learned}");
        assert!(
            !learned
                .lines()
                .any(|line| line.trim().starts_with("allow r")),
            "{cdb}: {learned}"
        );
    }
}
