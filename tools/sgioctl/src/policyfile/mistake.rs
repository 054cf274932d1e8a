// SPDX-License-Identifier: GPL-2.0

//! What people write who know other languages than TOML: the fix for a text that is no TOML, or not of the
//! shape of a policy.

use crate::names;

/// What to do about an error of the TOML parser at a byte of the source.
pub(super) fn fix(source: &str, at: Option<usize>, message: &str) -> String {
    if let Some(fix) = fix_of_key(message).or_else(|| fix_of_value(source, at, message)) {
        return fix;
    }
    of_language(source, at, message).to_owned()
}

/// Names that people give to keys, and what to write.
const OTHER_NAMES: [(&[&str], &str); 8] = [
    (
        &["device", "dev", "node", "disk", "path", "name", "devnode"],
        "a node's name is another device's after a reboot: select by wwid, which 'sgioctl show DEV' tells, by by_id, or by hctl",
    ),
    (
        &["wwn", "id", "uuid", "naa"],
        "write wwid = \"naa....\", which 'sgioctl show DEV' tells, or by_id = \"wwn-0x...\"",
    ),
    (
        &["lun", "address", "addr", "hcil", "scsi"],
        "write hctl = \"6:0:0:0\": host, channel, target and LUN",
    ),
    (&["product"], "write model"),
    (&["type"], "write class"),
    (&["port", "wwpn", "wwnn"], "write target, or initiator"),
    (
        &["map", "mpath", "dm", "alias"],
        "write multipath = \"mpatha\", or the map's WWID",
    ),
    (
        &["read", "write"],
        "write allow = [\"r 5e\"] for any open, [\"w 5e\"] for one for writing",
    ),
];

/// Names that people give to kinds of holders, and what to write.
const OTHER_HOLDERS: [(&[&str], &str); 3] = [
    (
        &["vm", "domain", "guest", "qemu", "machine", "kvm"],
        "write libvirt = \"NAME\", proxmox = \"101\", or the unit of its scope: unit = \"machine-NAME.scope\"",
    ),
    (
        &["service", "scope", "slice", "systemd"],
        "write unit = \"backup.service\"",
    ),
    (
        &["container", "pod", "docker", "podman", "lxc", "user", "pid", "process"],
        "a holder of that kind is named by its cgroup: write cgroup = \"/...\", as /proc/PID/cgroup shows it",
    ),
];

/// What to do about a key that there is not: ``unknown field `macth`, expected one of `match`, ...``
fn fix_of_key(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (word, rest) = rest.split_once('`')?;
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    if known.contains(&"include") && ["devices", "classes", "profiles"].contains(&word) {
        return None;
    }
    let lower = word.to_ascii_lowercase().replace('-', "_");
    if let Some(name) = known.iter().find(|name| **name == lower) {
        return Some(match word == word.to_ascii_lowercase() {
            true => format!("write {name}"),
            false => format!("write {name}: the name of the key is in small letters"),
        });
    }
    let begun = format!("{lower}_");
    if let Some(name) = known.iter().find(|name| name.starts_with(&begun)) {
        return Some(format!("write {name}"));
    }
    const SELECTORS: [&str; 6] = ["wwid", "serial", "hctl", "class", "by_id", "multipath"];
    if known.contains(&"match") && SELECTORS.contains(&lower.as_str()) {
        return Some(format!("put it into match: match = {{ {lower} = ... }}"));
    }
    // `libvirt` is a key of `to` alone.
    if known.contains(&"libvirt") {
        let mut others = OTHER_HOLDERS.iter();
        if let Some((_, fix)) = others.find(|(names, _)| names.contains(&lower.as_str())) {
            return Some((*fix).to_owned());
        }
    }
    // `exact` is a key of `match` alone.
    if known.contains(&"exact") || known.contains(&"allow") {
        let other = OTHER_NAMES
            .iter()
            .find(|(names, _)| names.contains(&lower.as_str()));
        let of_block = known.contains(&"allow") && !["read", "write"].contains(&lower.as_str());
        if let (Some((_, fix)), false) = (other, of_block) {
            return Some((*fix).to_owned());
        }
    }
    let near = known
        .iter()
        .map(|name| (names::distance(&lower, name), *name))
        .min()?;
    // Two letters in the place of each other are two changes.
    (near.0 <= ((word.len() + 1) / 3).clamp(1, 3)).then(|| format!("did you mean {}?", near.1))
}

/// What to do about a value of another kind.
fn fix_of_value(source: &str, at: Option<usize>, message: &str) -> Option<String> {
    let line = at.map_or("", |at| line_of(source, at));
    let key = line.split_once('=').map_or("", |(key, _)| key.trim());
    if message.contains("expected struct To") {
        return Some(
            "say by what: to = { unit = \"backup.service\" }, or by libvirt, proxmox or cgroup"
                .to_owned(),
        );
    }
    if message.contains("expected struct Match") && message.starts_with("invalid type: string") {
        let name = message.split('"').nth(1).unwrap_or_default();
        return Some(format!(
            "say by what: match = {{ wwid = \"naa....\" }}, which 'sgioctl show {name}' tells; a node's name \
             is another device's after a reboot"
        ));
    }
    if message.starts_with("invalid type: string") && message.contains("expected a sequence") {
        let value = message.split('"').nth(1).unwrap_or("...");
        return Some(match key {
            "profiles" => {
                format!(
                    "write a list, in brackets: profiles = [\"{value}\"], or profile = \"{value}\""
                )
            }
            "include" | "classes" | "allow" | "deny" => {
                format!("write a list, in brackets: {key} = [\"{value}\"]")
            }
            _ => format!("write a list, in brackets: [\"{value}\"]"),
        });
    }
    if message.starts_with("invalid type: string") && message.contains("expected a boolean") {
        let value = message.split('"').nth(1).unwrap_or_default();
        if ["true", "false"].contains(&value) {
            return Some(format!("write {value}, without quotes"));
        }
    }
    if message.starts_with("invalid type: boolean") && message.contains("expected a string") {
        return Some(match key {
            "report_luns" => {
                "write report_luns = \"own\" (or \"passthrough\", the default)".to_owned()
            }
            _ => "write a text in quotes".to_owned(),
        });
    }
    let header = line.trim_start();
    if header.starts_with("[[profile") {
        return Some("write [profile.NAME], with the profile's name in it".to_owned());
    }
    if let Some(name) = header
        .strip_prefix("[class.")
        .and_then(|rest| rest.split(']').next())
    {
        return Some(format!("write [[class]], and below it name = \"{name}\""));
    }
    // An inline table ends on its line.
    let is_open = |line: &str| {
        let value = line.split_once("match").map_or("", |(_, value)| value);
        value.contains('{') && !value.contains('}')
    };
    let before = at.and_then(|at| source.get(..at)).unwrap_or_default();
    let lines_before = before.rsplit_once('\n').map_or("", |(lines, _)| lines);
    let line_before = lines_before.lines().next_back().unwrap_or_default();
    if is_open(line) || is_open(line_before) {
        return Some("write match = { ... } in one line, closed by }".to_owned());
    }
    if message.starts_with("invalid type: sequence") && message.contains("expected a string") {
        return Some(match key {
            "profile" => "write profiles = [...] for several of them".to_owned(),
            "rules" => "write the rules as one text, one a line, or use allow and deny".to_owned(),
            _ => "write one text in quotes, without brackets; for several, write several blocks"
                .to_owned(),
        });
    }
    let integer =
        message.starts_with("invalid type: integer") && message.contains("expected a string");
    let written = at.and_then(|at| source.get(at..)).map_or("", word_at);
    if integer && !written.is_empty() {
        return Some(match key {
            "allow" | "deny" => {
                format!("write \"{written}\": opcodes stand in quotes, and are hex without 0x too")
            }
            _ => format!("write it in quotes: \"{written}\""),
        });
    }
    let dotted = line.trim_start().starts_with("match.");
    if dotted || line.trim_start().starts_with("[device.match]") {
        return Some("write match = { class = \"disk\" } in one line, below [[device]]".to_owned());
    }
    None
}

/// What to do about what other languages have.
fn of_language(source: &str, at: Option<usize>, message: &str) -> &'static str {
    let line = at.map_or("", |at| line_of(source, at));
    let rest = at.and_then(|at| source.get(at..)).unwrap_or_default();
    let code = without_texts(line);
    if message.contains("expected a sequence") || message.starts_with("invalid type: map") {
        for (single, double) in [
            (
                "[device]",
                "write [[device]], with two brackets: there may be several",
            ),
            (
                "[grant]",
                "write [[grant]], with two brackets: there may be several",
            ),
            (
                "[class]",
                "write [[class]], with two brackets: there may be several",
            ),
        ] {
            let header = |line: &str| line.trim_start().starts_with(single);
            if source.lines().any(header) {
                return double;
            }
        }
    }
    if line.contains([
        '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{ab}', '\u{bb}',
    ]) {
        return "write straight quotes, \" or ', as a programmer's editor does";
    }
    if let Some(word) = message
        .strip_prefix("unknown field `")
        .and_then(|m| m.split('`').next())
    {
        let header = match word {
            "devices" => "write [[device]]: one for each selector",
            "classes" => "write [[class]]: one for each class",
            "profiles" if line.trim_start().starts_with('[') => "write [profile.NAME]",
            _ => "",
        };
        if !header.is_empty() && line.trim_start().starts_with('[') {
            return header;
        }
    }
    if message.starts_with("invalid type: integer") && message.contains("expected a boolean") {
        return "write true for 1 and false for 0";
    }
    if rest.starts_with(':') || is_key_with_colon(line) {
        return "write = between a key and its value, as in match = { class = \"disk\" }";
    }
    if code.contains("//") || line.trim_start().starts_with(';') || code.contains("; ") {
        return "a comment begins with #";
    }
    if code.contains(';') {
        return "no ; is needed: a line ends a value";
    }
    if is_boolean(word_at(rest)) || is_boolean(value_of(line)) {
        return "write true or false, in small letters and without quotes";
    }
    match message {
        m if m.starts_with("unknown field") => "correct the name of the key, or remove it",
        m if m.starts_with("missing field `match`") => {
            "say which devices: match = { wwid = \"naa...\" }"
        }
        m if m.starts_with("missing field `to`") => {
            "say to whom: to = { libvirt = \"db-*\" }, or by proxmox, unit or cgroup"
        }
        m if m.starts_with("missing field") => "add it",
        m if m.starts_with("invalid type") => "write it as sgio-policy(5) shows",
        m if m.starts_with("duplicate key") => "keep one of them",
        _ => "correct the TOML: text stands in quotes, lists in [ ]",
    }
}

fn line_of(source: &str, at: usize) -> &str {
    let before = source.get(..at).unwrap_or(source);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = source.get(start..).unwrap_or_default();
    line.lines().next().unwrap_or_default()
}

/// The line without what stands in straight quotes, and without its comment.
fn without_texts(line: &str) -> String {
    let mut quote = None;
    let mut code = String::new();
    for c in line.chars() {
        match quote {
            None if c == '#' => break,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None => code.push(c),
            Some(open) if open == c => quote = None,
            Some(_) => {}
        }
    }
    code
}

/// `match: {`, as in YAML.
fn is_key_with_colon(line: &str) -> bool {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || c == '{' || c == '-');
    let word = word_at(&line.replace('_', "x")).len();
    word > 0
        && line
            .get(word..)
            .is_some_and(|rest| rest.trim_start().starts_with(':'))
}

fn word_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric());
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn value_of(line: &str) -> &str {
    let value = line.split_once('=').map_or("", |(_, value)| value).trim();
    word_at(value.trim_start_matches(['"', '\'']))
}

fn is_boolean(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    matches!(lower.as_str(), "yes" | "no" | "on" | "off")
        || matches!(lower.as_str(), "true" | "false") && lower != word
}
