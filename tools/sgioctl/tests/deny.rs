// SPDX-License-Identifier: GPL-2.0

//! What `deny CDB` refuses: every CDB that differs from it in nothing that names the command. Which bytes name a
//! command is written down here once more, without the tables.

use sgio_policy::policy::{Cdb, Class, Rule, MAX_CDB};
use sgioctl::names;

type Bytes = [u8; MAX_CDB];

/// Bytes of which every run has the same.
struct Random(u64);

impl Random {
    fn byte(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // Zeros and ones are what programs send most.
        let [byte, kind, ..] = self.0.to_le_bytes();
        match kind % 4 {
            0 => 0,
            1 => byte & 1,
            _ => byte,
        }
    }
    fn bytes(&mut self) -> Bytes {
        std::array::from_fn(|_| self.byte())
    }
}

/// The bits of a CDB that name its command, behind the opcode.
fn naming(cdb: &Bytes, class: Class) -> Vec<(usize, u8)> {
    let known = names::decode(cdb, class).name;
    match cdb[0] {
        0x7f => vec![(8, 0xff), (9, 0xff)],
        // The class of the key and its format.
        0xa3 | 0xa4 if class == Class::CDROM => vec![(7, 0xff), (10, 0x3f)],
        0xa2 | 0xb5
            if known
                .as_deref()
                .is_some_and(|name| name.starts_with("security-protocol")) =>
        {
            vec![(1, 0xff), (2, 0xff), (3, 0xff)]
        }
        0x4d => vec![(2, 0x3f)],
        0x7e if names::decode(cdb, class).title.as_deref() == Some("extended CDB") => vec![],
        0xc0..=0xff => vec![(1, 0xff)],
        opcode => match known {
            None => vec![(1, 0xff)],
            Some(_) if names::has_actions(opcode, class) => vec![(1, 0x1f)],
            // REDUNDANCY GROUP, SPARE and VOLUME SET of SCC-2, SERVICE ACTION BIDIRECTIONAL, and two whose service
            // actions have no names.
            Some(name)
                if [
                    "redundancy",
                    "spare",
                    "volume-set",
                    "service-action",
                    "read-attribute",
                    "read-position",
                ]
                .iter()
                .any(|start| name.starts_with(start)) =>
            {
                vec![(1, 0x1f)]
            }
            Some(_) => vec![],
        },
    }
}

fn denied(command: &str, class: Class) -> Vec<Rule> {
    names::rules(command, class, None)
        .unwrap_or_else(|error| panic!("{command} on {}: {error}", class.name()))
}

fn of_cdb(cdb: &[u8], class: Class) -> Vec<Rule> {
    let hex: Vec<String> = cdb.iter().map(|byte| format!("{byte:02x}")).collect();
    denied(&format!("cdb:{}", hex.join(" ")), class)
}

#[track_caller]
fn is_refused(rules: &[Rule], variant: &Bytes, what: &dyn Fn() -> String) {
    let cdb = Cdb::new(variant).unwrap();
    if !rules.iter().any(|rule| rule.matches(&cdb)) {
        let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
        panic!("{} leaves {variant:02x?}: {rules:?}", what());
    }
}

/// The CDBs that are of a rule, with those bytes in what it leaves open.
fn within(rule: &Rule, mut cdb: Bytes) -> Bytes {
    cdb[0] = rule.opcodes().iter().next().unwrap();
    for field in rule.fields() {
        let byte = &mut cdb[usize::from(field.byte())];
        *byte = (*byte & !field.mask()) | field.values().iter().next().unwrap();
    }
    cdb
}

/// A CDB with the opcode of another and what names it, as far as that was given.
fn variant(cdb: &Bytes, given: usize, class: Class, random: &mut Random) -> Bytes {
    let mut other = random.bytes();
    other[0] = cdb[0];
    for (byte, mask) in naming(cdb, class).into_iter().filter(|(b, _)| *b < given) {
        other[byte] = (other[byte] & !mask) | (cdb[byte] & mask);
    }
    other
}

fn is_ata(cdb: &Bytes, class: Class) -> bool {
    match cdb[0] {
        0x85 => true,
        0xa1 => class != Class::CDROM,
        0x7f => cdb[8..10] == [0x1f, 0xf0],
        _ => false,
    }
}

#[test]
fn every_variant_of_a_denied_cdb_is_refused() {
    let mut random = Random(0x5eed);
    for class in Class::ALL {
        let of_names = names::all(class)
            .into_iter()
            .flat_map(|name| match names::rules(&name, class, None) {
                Ok(rules) => rules,
                Err(error) => panic!("{name}: {error}"),
            })
            .collect::<Vec<Rule>>();
        let of_opcodes = (0..=u8::MAX).flat_map(|opcode| denied(&format!("{opcode:02x}"), class));
        for rule in of_names.iter().copied().chain(of_opcodes) {
            for fill in [[0; MAX_CDB], random.bytes()] {
                let cdb = within(&rule, fill);
                if is_ata(&cdb, class) {
                    continue;
                }
                for given in [1, 2, 4, 9, 32] {
                    let rules = of_cdb(&cdb[..given], class);
                    for _ in 0..4 {
                        let other = variant(&cdb, given, class, &mut random);
                        is_refused(&rules, &other, &|| {
                            format!("{:02x?} on {}", &cdb[..given], class.name())
                        });
                    }
                }
            }
        }
    }
}

/// Where each of the three CDBs has the protocol, the features, the count and the command.
const FORMS: [(u8, [usize; 4], usize); 3] = [
    (0x85, [1, 4, 6, 14], 16),
    (0xa1, [1, 3, 4, 9], 12),
    (0x7f, [10, 21, 23, 25], 32),
];

fn ata(form: usize, registers: [u8; 4], random: &mut Random) -> Bytes {
    let (opcode, places, length) = FORMS[form];
    let mut cdb = random.bytes();
    cdb[length..].fill(0);
    cdb[0] = opcode;
    if opcode == 0x7f {
        cdb[8..10].copy_from_slice(&[0x1f, 0xf0]);
    }
    for (place, value) in places.iter().zip(registers) {
        cdb[*place] = value;
    }
    // The protocol alone; what is around it is nothing of the command.
    cdb[places[0]] = (random.byte() & !0x1e) | (registers[0] << 1);
    cdb
}

#[test]
fn every_variant_of_a_denied_ata_command_is_refused() {
    let mut random = Random(0xa7a);
    for command in 0..=u8::MAX {
        for protocol in [0, 1, 3, 10, 15, random.byte() % 16] {
            for features in [0, 1, 0xd4, random.byte()] {
                let form = usize::from(random.byte()) % FORMS.len();
                let count = random.byte();
                let registers = [protocol, features, count, command];
                let cdb = ata(form, registers, &mut random);
                let rules = of_cdb(&cdb[..FORMS[form].2], Class::DISK);
                let by_protocol = [0, 1, 15].contains(&protocol);
                for form in 0..FORMS.len() {
                    // What resets a device is the protocol; all else is the command.
                    let other = [random.byte() % 16, features, random.byte(), command];
                    // SANITIZE STATUS EXT is that by COUNT.
                    let count = if command == 0xb4 { count } else { other[2] };
                    let other = [
                        if by_protocol { protocol } else { other[0] },
                        features,
                        count,
                        command,
                    ];
                    let other = ata(form, other, &mut random);
                    is_refused(&rules, &other, &|| format!("{cdb:02x?}"));
                }
            }
        }
    }
}

/// A CDB that ends before the command may be any.
#[test]
fn an_ata_cdb_without_a_command_is_every_one() {
    let mut random = Random(0x5407);
    for (form, (_, places, _)) in FORMS.iter().enumerate() {
        let first = if form == 2 { 10 } else { 1 };
        for given in first..=places[3] {
            let registers = [0; 4].map(|_: u8| random.byte() & 0x0f);
            let cdb = ata(form, registers, &mut random);
            let rules = of_cdb(&cdb[..given], Class::DISK);
            for form in 0..FORMS.len() {
                let registers = [0; 4].map(|_: u8| random.byte() & 0x0f);
                let other = ata(form, registers, &mut random);
                is_refused(&rules, &other, &|| format!("{:02x?}", &cdb[..given]));
            }
        }
    }
}

/// A name is denied as its CDB is: the length that a CDB of 32 bytes gives, the protocol and the bits around it are
/// free.
#[test]
fn every_variant_of_a_denied_name_is_refused() {
    let mut random = Random(0x4a3e);
    for class in Class::ALL {
        for name in names::all(class) {
            let rules = denied(&name, class);
            let meant =
                names::rules(&name, class, Some(sgio_policy::policy::Access::Read)).unwrap();
            for _ in 0..8 {
                let mut cdb = within(&meant[0], random.bytes());
                match cdb[0] {
                    0x7f => cdb[7] = random.byte(),
                    _ if name.starts_with("ata-pass-through-1") && name.contains(':') => {
                        let by_protocol = ["hard-reset", "software-reset", "return-response"]
                            .iter()
                            .any(|end| name.ends_with(end));
                        let free = if by_protocol { 0xe1 } else { 0xff };
                        cdb[1] = (cdb[1] & !free) | (random.byte() & free);
                    }
                    _ => (),
                }
                is_refused(&rules, &cdb, &|| format!("{name} on {}", class.name()));
            }
        }
    }
}

#[test]
fn what_a_denied_cdb_is() {
    for (cdb, class, expected) in [
        // Another protocol carries the command as well.
        (
            "85 06 20 00 00 00 00 00 00 00 00 00 00 00 f4 00",
            Class::DISK,
            &["85 [14]=f4", "a1 [9]=f4", "7f [8]=1f [9]=f0 [25]=f4"][..],
        ),
        (
            "a1 06 00 00 00 00 00 00 00 f4 00 00",
            Class::DISK,
            &["85 [14]=f4", "a1 [9]=f4", "7f [8]=1f [9]=f0 [25]=f4"],
        ),
        (
            "7f 00 00 00 00 00 00 18 1f f0 0a 06 00 00 00 00 00 00 00 00 00 00 00 00 00 f4 00 00 00 00 00 00",
            Class::DISK,
            &["85 [14]=f4", "a1 [9]=f4", "7f [8]=1f [9]=f0 [25]=f4"],
        ),
        (
            "85 06 00 00 d4 00 00 00 02 00 4f 00 c2 00 b0 00",
            Class::DISK,
            &[
                "85 [4]=d4 [14]=b0",
                "a1 [3]=d4 [9]=b0",
                "7f [8]=1f [9]=f0 [21]=d4 [25]=b0",
            ],
        ),
        // What no table knows.
        (
            "85 06 00 00 00 00 00 00 00 00 00 00 00 00 9a 00",
            Class::DISK,
            &["85 [14]=9a", "a1 [9]=9a", "7f [8]=1f [9]=f0 [25]=9a"],
        ),
        // A reset, and the protocol of a bridge.
        (
            "a1 80 00 00 02 00 00 00 00 00 00 00",
            Class::DISK,
            &["85 [1]&1e=00", "a1 [1]&1e=00", "7f [8]=1f [9]=f0 [10]&1e=00"],
        ),
        ("cdb:85 0a", Class::DISK, &["85", "a1", "7f [8]=1f [9]=f0"]),
        ("cdb:85", Class::CDROM, &["85"]),
        ("cdb:7f", Class::DISK, &["7f"]),
        ("cdb:7f 00 00 00 00 00 00 18 00", Class::DISK, &["7f [8]=00"]),
        (
            "7f 00 00 00 00 00 00 18 00 0d 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
            Class::DISK,
            &["7f [8]=00 [9]=0d"],
        ),
        ("cdb:b5 ef", Class::DISK, &["b5 [1]=ef"]),
        ("cdb:a2 ef", Class::DISK, &["a2 [1]=ef"]),
        (
            "b5 ef 00 04 00 00 00 00 00 24 00 00",
            Class::DISK,
            &["b5 [1]=ef [2]=00 [3]=04"],
        ),
        (
            "b5 01 07 fe 00 00 00 00 02 00 00 00",
            Class::DISK,
            &["b5 [1]=01"],
        ),
        ("cdb:3b", Class::DISK, &["3b"]),
        ("3b 25 01 00 00 00 00 02 00 00", Class::DISK, &["3b [1]&1f=05"]),
        ("cdb:1d 10", Class::DISK, &["1d"]),
        ("cdb:c1", Class::DISK, &["c1"]),
        ("cdb:c1 e1", Class::DISK, &["c1 [1]=e1"]),
        (
            "c1 e1 00 00 00 00 00 00 28 00",
            Class::DISK,
            &["c1 [1]=e1"],
        ),
        ("cdb:04 18", Class::DISK, &["04"]),
        ("15 11 00 00 18 00", Class::DISK, &["15"]),
        ("1b 00 00 00 02 00", Class::DISK, &["1b"]),
        ("cdb:5f", Class::DISK, &["5f"]),
        ("5f e6 00 00 00 00 00 00 18 00", Class::DISK, &["5f [1]&1f=06"]),
        ("5e 1f 00 00 00 00 00 00 18 00", Class::DISK, &["5e [1]&1f=1f"]),
        ("9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00", Class::DISK, &["9e [1]&1f=10"]),
        ("4d 00 40 00 00 00 00 00 ff 00", Class::DISK, &["4d"]),
        ("4d 00 6e 00 00 00 00 00 ff 00", Class::TAPE, &["4d [2]&3f=2e"]),
        ("7e 01 00 00 85 0a 06 00 00 00 01 00 00 00 00 f4", Class::DISK, &["7e"]),
        ("ata-pass-through-16:hard-reset", Class::DISK, &[
            "85 [1]&1e=00",
            "a1 [1]&1e=00",
            "7f [8]=1f [9]=f0 [10]&1e=00",
        ]),
        ("write-same-32", Class::DISK, &["7f [8]=00 [9]=0d"]),
        ("write-same-32 [10]&08=08", Class::DISK, &["7f [8]=00 [9]=0d [10]&08=08"]),
        // The same register in each.
        (
            "ata-pass-through-16:read-log-ext [8]=11",
            Class::DISK,
            &[
                "85 [4]=00 [8]=11 [14]=2f",
                "a1 [3]=00 [5]=11 [9]=2f",
                "7f [8]=1f [9]=f0 [19]=11 [21]=00 [25]=2f",
            ],
        ),
        (
            "ata-pass-through-12:identify [8]=40",
            Class::DISK,
            &[
                "85 [13]=40 [14]=ec",
                "a1 [8]=40 [9]=ec",
                "7f [8]=1f [9]=f0 [24]=40 [25]=ec",
            ],
        ),
    ] {
        let rules = denied(cdb, class);
        let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
        let expected: Vec<String> = expected.iter().map(|text| format!("deny {text}")).collect();
        assert_eq!(rules, expected, "{cdb} on {}", class.name());
    }
}

#[test]
fn what_a_deny_leaves_is_told() {
    let open = |command: &str| names::left_open_by_denied(command, Class::DISK);
    for command in ["cdb:c1 e1", "c1 e1 00 00 00 00 00 00 28 00", "cdb:02 01"] {
        assert!(
            open(command).unwrap().contains("another byte 1"),
            "{command}"
        );
    }
    let more = open("ata-pass-through-16:identify [5]=00").unwrap();
    assert!(more.contains("'a1 [9]=ec', without byte 5"), "{more}");
    for command in [
        "c1",
        "cdb:c1",
        "c1,c2",
        "cdb:b5 ef",
        "ata-pass-through-16:identify",
        "ata-pass-through-16:read-log-ext [8]=11",
        "write-same-32 [10]&08=08",
    ] {
        assert_eq!(open(command), None, "{command}");
    }

    let others = |commands: &[&str]| {
        let rules: Vec<Rule> = commands
            .iter()
            .flat_map(|command| denied(command, Class::DISK))
            .collect();
        names::also_carried_by(&rules, &rules, Class::DISK)
    };
    assert_eq!(others(&["85"]), ["7f [8]=1f [9]=f0", "a1"]);
    assert_eq!(
        others(&["85 [1]&1e=06 [14]=b4"]),
        ["7f [8]=1f [9]=f0 [25]=b4", "85 [14]=b4", "a1 [9]=b4"]
    );
    assert_eq!(
        others(&["85,a1", "7f [7]=18 [8]=1f [9]=f0"]),
        ["7f [8]=1f [9]=f0"]
    );
    for closed in [
        &["85,a1", "7f [8]=1f [9]=f0"][..],
        &["85", "a1", "7f"],
        &["00-ff"],
        &["5f", "cdb:85 0a"],
        &["ata-pass-through-16:sanitize"],
    ] {
        assert_eq!(others(closed), Vec::<String>::new(), "{closed:?}");
    }
}

#[test]
fn a_rule_that_matches_nothing_is_an_error() {
    for command in [
        "persistent-reserve-out:register [1]&1f=03",
        "5f [1]&1f=00 [1]&1f=03",
        "ata-pass-through-16:identify [14]=f4",
    ] {
        for access in [None, Some(sgio_policy::policy::Access::Write)] {
            let error = names::rules(command, Class::DISK, access).err();
            let error = error.unwrap_or_else(|| panic!("{command}")).to_string();
            assert!(error.contains("matches no command"), "{error}");
        }
    }
}
