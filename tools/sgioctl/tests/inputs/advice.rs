// SPDX-License-Identifier: GPL-2.0

//! Advice is as narrow as the command that was sent.

use super::{check, common::Tree};

#[test]
fn advice_is_as_narrow_as_the_command() {
    let tree = Tree::usual();
    for (class, cdb, advice) in [
        (
            "disk",
            "c1 e1 00 00 00 00 00 00 28 00",
            "--write 'c1 [1]=e1 [2]=00 [3]=00 [4]=00 [5]=00 [8]=28'",
        ),
        (
            "disk",
            "c1 e3 00 00 00 00 00 00 00 00",
            "--write 'c1 [1]=e3 [2]=00 [3]=00 [4]=00 [5]=00 [6]=00'",
        ),
        (
            "disk",
            "b5 01 00 01 00 00 00 00 02 00 00 00",
            "--write 'b5 [1]=01 [2]=00 [3]=01'",
        ),
        (
            "disk",
            "b5 01 07 ff 00 00 00 00 02 00 00 00",
            "--write 'b5 [1]=01 [2]=07 [3]=ff'",
        ),
        (
            "disk",
            "b5 02 00 04 00 00 00 00 02 00 00 00",
            "--write 'b5 [1]=02 [2]=00 [3]=04'",
        ),
        (
            "disk",
            "b5 ef 00 03 00 00 00 00 02 00 00 00",
            "--write security-protocol-out:ata-erase-prepare",
        ),
        (
            "disk",
            "a2 00 00 00 00 00 00 00 02 00 00 00",
            "--read security-protocol-in:supported-protocols",
        ),
        (
            "disk",
            "a2 01 00 01 00 00 00 00 02 00 00 00",
            "--read security-protocol-in:tcg-level-0-discovery",
        ),
        (
            "tape",
            "b5 20 00 10 00 00 00 00 02 00 00 00",
            "--write 'b5 [1]=20 [2]=00 [3]=10'",
        ),
        (
            "disk",
            "3b 02 00 00 00 00 00 10 00 00",
            "--write '3b [1]=02 [2]=00'",
        ),
        (
            "disk",
            "3b 05 00 00 00 00 00 10 00 00",
            "--write '3b [1]=05 [2]=00'",
        ),
        (
            "disk",
            "3b 0e 00 00 00 00 00 10 00 00",
            "--write '3b [1]=0e [2]=00'",
        ),
        (
            "cdrom",
            "3b 05 00 00 00 00 00 10 00 00",
            "--write '3b [1]=05 [2]=00'",
        ),
        (
            "disk",
            "1d 04 00 00 00 00",
            "--write '1d [1]&f7=04 [3]=00 [4]=00'",
        ),
        (
            "disk",
            "1d 10 00 00 20 00",
            "--write '1d [1]&f7=10 [3]=00 [4]=20'",
        ),
        (
            "disk",
            "1d 40 00 00 00 00",
            "--write '1d [1]&f7=40 [3]=00 [4]=00'",
        ),
        (
            "tape",
            "1d 10 00 00 08 00",
            "--write '1d [1]&f7=10 [3]=00 [4]=08'",
        ),
        (
            "disk",
            "4c 02 00 00 00 00 00 00 00 00",
            "--write '4c [1]&03=02 [2]=00 [3]=00'",
        ),
        (
            "disk",
            "a4 0a 00 00 00 00 00 00 10 00 00 00",
            "--write set-target-port-groups",
        ),
        (
            "disk",
            "a4 06 00 00 00 00 00 00 10 00 00 00",
            "--write set-identifying-information",
        ),
        (
            "disk",
            "83 11 00 00 00 00 00 00 00 00 00 00 00 24 00 00",
            "--write write-using-token",
        ),
        (
            "disk",
            "48 03 00 00 00 00 00 00 00 00",
            "--write sanitize:cryptographic-erase",
        ),
        (
            "disk",
            "04 10 00 00 00 00",
            "--write '04 [1]&df=10 [4]&03=00'",
        ),
        (
            "cdrom",
            "ff 08 01 11 02 00 00 00 00 00",
            "--write 'ff [1]=08 [2]=01 [3]=11 [4]=02 [5]=00 [6]=00'",
        ),
        (
            "cdrom",
            "ff 01 00 00 00 00 00 00 00 00",
            "--write 'ff [1]=01 [2]=00 [3]=00 [4]=00 [5]=00 [6]=00'",
        ),
        (
            "cdrom",
            "d8 00 00 00 00 00 00 00 00 01 02 00",
            "--write 'd8 [1]=00 [2]=00 [3]=00 [4]=00 [9]=01 [10]=02'",
        ),
        (
            "disk",
            "c0 00 00 00 00 00",
            "--write 'c0 [1]=00 [2]=00 [3]=00 [4]=00 [5]=00 [6]=00'",
        ),
        (
            "disk",
            "f0 01 02 03 04 05 06 07 08 09",
            "--write 'f0 [1]=01 [2]=02 [3]=03 [4]=04 [5]=05 [6]=06'",
        ),
        // Bridges from USB to SATA and to NVMe: Cypress, JMicron, Realtek, ASMedia.
        (
            "disk",
            "d6 04 4f 00 c2 00 b0 00 00 00",
            "--write 'd6 [1]=04 [2]=4f [3]=00 [4]=c2 [5]=00 [6]=b0'",
        ),
        (
            "disk",
            "a1 80 00 00 02 00 00 00 00 00 00 00",
            "--write 'a1 [1]=80 [2]=00 [3]=00 [4]=02 [5]=00 [9]=00'",
        ),
        (
            "disk",
            "a1 82 00 00 00 00 00 00 00 06 00 00",
            "--write 'a1 [1]=82 [2]=00 [3]=00 [4]=00 [5]=00 [9]=06'",
        ),
        (
            "disk",
            "85 0d 06 00 01 00 01 00 00 00 00 00 00 40 06 00",
            "--write '85 [1]&1e=0c [4]&01=01 [14]=06'",
        ),
        (
            "disk",
            "85 0b 26 00 03 00 08 00 00 00 00 00 00 00 92 00",
            "--write '85 [1]&1e=0a [4]=03 [14]=92'",
        ),
        (
            "disk",
            "85 06 20 00 00 00 00 00 00 00 00 00 00 40 b2 00",
            "--write '85 [1]&1e=06 [4]=00 [14]=b2'",
        ),
        // READ LOG EXT, and with the feature that resets the statistics behind the reading.
        (
            "disk",
            "85 09 0e 00 00 00 01 00 04 00 01 00 00 00 2f 00",
            "--read ata-pass-through-16:read-log-ext",
        ),
        (
            "disk",
            "85 09 0e 00 01 00 01 00 04 00 01 00 00 00 2f 00",
            "--write '85 [1]&1f=09 [3]=00 [4]=01 [14]=2f'",
        ),
        (
            "disk",
            "85 09 0e 01 00 00 01 00 04 00 01 00 00 00 2f 00",
            "--write '85 [1]&1f=09 [3]=01 [4]=00 [14]=2f'",
        ),
        (
            "disk",
            "85 06 20 00 00 00 00 00 00 00 00 00 00 00 b4 00",
            "--read ata-pass-through-16:sanitize-status",
        ),
        // CLEAR SANITIZE OPERATION FAILED.
        (
            "disk",
            "85 06 20 00 00 00 01 00 00 00 00 00 00 00 b4 00",
            "--write '85 [1]&1e=06 [4]=00 [6]=01 [14]=b4'",
        ),
        (
            "disk",
            "a1 06 20 00 01 00 00 00 00 b4 00 00",
            "--write 'a1 [1]&1e=06 [3]=00 [4]=01 [9]=b4'",
        ),
    ] {
        let text = check(&tree, class, cdb);
        let advised = text
            .lines()
            .find_map(|line| line.split_once("to allow it: sgioctl allow DEV "));
        assert_eq!(
            advised.map(|(_, advice)| advice),
            Some(advice),
            "{class} {cdb}: {text}"
        );
    }
    // A reader is never sent to a rule that would not help.
    for cdb in [
        "1b 00 00 00 00 00",
        "1b 00 00 00 02 00",
        "15 10 00 00 18 00",
        "2a 00 00 00 00 00 00 00 08 00",
    ] {
        let text = check(&tree, "disk", cdb);
        assert!(
            text.contains("open the device O_RDWR") && !text.contains("to allow it"),
            "{cdb}: {text}"
        );
    }
}
