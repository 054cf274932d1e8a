// SPDX-License-Identifier: GPL-2.0

//! CDBs as programs print them, and what is none.

use sgioctl::hex;

/// INQUIRY, ATA PASS-THROUGH(16) of SMART RETURN STATUS, READ CD.
const INQUIRY: &[u8] = &[0x12, 0, 0, 0, 0x24, 0];
const SMART: &[u8] = &[
    0x85, 0x06, 0x2c, 0, 0xda, 0, 0, 0, 0, 0, 0x4f, 0, 0xc2, 0, 0xb0, 0,
];
const READ_CD: &[u8] = &[0xbe, 0, 0, 0, 0, 0, 0, 0, 1, 0xf8, 0, 0];

#[test]
fn a_cdb_as_programs_print_it() {
    for (text, expected) in [
        ("12:00:00:00:24:00", INQUIRY),
        ("0x12 00 00 00 24 00", INQUIRY),
        ("0X12 0X00 0X00 0X00 0X24 0X00", INQUIRY),
        ("1200 0000 2400", INQUIRY),
        ("12000000 2400", INQUIRY),
        ("(12 00 00 00 24 00)", INQUIRY),
        ("CDB=[12 00 00 00 24 00]", INQUIRY),
        ("Cdb: 12 00 00 00 24 00", INQUIRY),
        ("cdb=0x120000002400", INQUIRY),
        ("cdb=12:00:00:00:24:00", INQUIRY),
        ("  inquiry cdb: 12 00 00 00 24 00", INQUIRY),
        ("    cdb to send: [12 00 00 00 24 00]", INQUIRY),
        ("    cdb to send: 12 00 00 00 24 00 ", INQUIRY),
        ("    Inquiry cdb: [12 00 00 00 24 00]", INQUIRY),
        ("CDB: Inquiry 12 00 00 00 24 00", INQUIRY),
        ("scsi 0:0:0:0: CDB[00]: 12 00 00 00 24 00", INQUIRY),
        ("85 06 2c 00 da 00 00 00  00 00 4f 00 c2 00 b0 00", SMART),
        (
            "sd 2:0:0:0: [sdb] tag#8 CDB: ATA command pass through(16) 85 06 2c 00 da 00 00 00 00 00 4f 00 c2 00 b0 00",
            SMART,
        ),
        // Before Linux 3.18, and of opcodes without a name.
        (
            "sd 2:0:0:0: [sdb] CDB: cdb[0]=0x85: 85 06 2c 00 da 00 00 00 00 00 4f 00 c2 00 b0 00",
            SMART,
        ),
        ("sd 2:0:0:0: [sdb] CDB: Inquiry: 12 00 00 00 24 00", INQUIRY),
        // A word of the name that could be a byte.
        (
            "sr 1:0:0:0: [sr0] tag#0 CDB: Read CD be 00 00 00 00 00 00 00 01 f8 00 00",
            READ_CD,
        ),
        ("CDB: Read CD: be 00 00 00 00 00 00 00 01 f8 00 00", READ_CD),
        (
            "ioctl(3, SG_IO, {interface_id='S', cmd_len=6, cmdp=\"\\x12\\x00\\x00\\x00\\x24\\x00\", mx_sb_len=32",
            INQUIRY,
        ),
        (
            "ioctl(3, SG_IO, {'S', SG_DXFER_FROM_DEV, cmd[6]=[12, 00, 00, 00, 24, 00], mx_sb_len=32, iovec_count=0",
            INQUIRY,
        ),
        (
            "ioctl(3, SG_IO, {interface_id='Q', request_len=6, request=\"\\x12\\x00\\x00\\x00\\x24\\x00\", dout_len=0",
            INQUIRY,
        ),
        (
            "scsi_dispatch_cmd_start: host_no=0 channel=0 id=0 lun=0 data_sgl=1 prot_sgl=0 driver_tag=1 cmnd=(INQUIRY raw=12 00 00 00 24 00)",
            INQUIRY,
        ),
        ("type=1326 audit(1.1:2): op=sgio cdb=120000002400 pid=1 uid=12", INQUIRY),
        (" [inquiry: 12 00 00 00 24 00 ]", INQUIRY),
    ] {
        assert_eq!(hex::cdb(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_is_no_cdb_is_an_error_and_no_part_of_one() {
    for text in [
        "12h 00h 00h 00h 24h 00h",
        "12-00-00-00-24-00",
        "12;00;00;00;24;00",
        "12_00_00_00_24_00",
        "12 00 00 00 24 00;",
        "12 00 00 00 24 00 # a comment",
        "0x12,0,0,0,36,0",
        "12 0 0 0 24 0",
        "12 00 00 00 24 0",
        "1 2 0 0",
        "<12 00 00 00 24 00>",
        "b'\\x12\\x00\\x00\\x00\\x24\\x00'",
        "\\x12\\0\\0\\0$\\0",
        // Offsets: the line may be any of a dump.
        "00000000: 1200 0000 2400",
        "00000000  12 00 00 00 24 00  |....$.|",
        "0010: 12 00 00 00 24 00",
        // A label does not make bytes of what is none, and cuts nothing off.
        "cdb: 12 00 0 00 24 00",
        "cdb: 0x12 0x0 0x0 0x0 0x24 0x0",
        "cdb=0x12,0x0,0x0",
        "cdb: 12 000 24",
        "cdb[0]=0x12, [1]=0x00, [2]=0x00",
        "cdb[0]=0x12 cdb[1]=0x00",
        "cdb[4]=0x24",
        "cmdp=\"\\22\\0\\0\\0$\\0\"",
        "cmd=120000002400",
        "cdb:",
        "cdb: inquiry",
        "sd 0:0:0:0: [sda] tag#0 FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK cmd_age=0s",
    ] {
        let read = hex::cdb(text);
        assert!(read.is_err(), "{text}: {read:?}");
    }
}
