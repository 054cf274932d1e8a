// SPDX-License-Identifier: GPL-2.0

//! What the pages say that the command line does not: exit status and files.

/// Exit status by command: 1 means something only for those that ask.
pub(super) fn status(command: &str) -> &'static [(&'static str, &'static str)] {
    const DONE: (&str, &str) = ("0", "It is done.");
    const NOT_DONE: (&str, &str) = (
        "2",
        "It could not be done, and nothing has changed: the reason is on standard error.",
    );
    const UNREPORTED: (&str, &str) = (
        "3",
        "It is done and in force, but the report of it could not be written.",
    );
    match command {
        "allow" | "deny" | "set" | "reset" | "complain" | "apply" => &[DONE, NOT_DONE, UNREPORTED],
        "check" => &[
            (
                "0",
                "All of it is allowed, by every open that was asked about.",
            ),
            ("1", "Something is refused."),
            NOT_DONE,
        ],
        "diff" => &[
            ("0", "No verdict would change."),
            ("1", "Some verdict or setting would change."),
            NOT_DONE,
        ],
        "lint" => &[
            ("0", "There is nothing but notes."),
            ("1", "There are errors or warnings."),
            ("2", "A file could not be looked at."),
        ],
        "doctor" => &[
            ("0", "There is no problem."),
            ("1", "There is a problem."),
            NOT_DONE,
        ],
        "explain" => &[
            ("0", "The CDB is a known command."),
            ("1", "It is known on none of the classes asked about."),
            NOT_DONE,
        ],
        "learn" => &[
            ("0", "Rules are proposed, or nothing was refused."),
            (
                "1",
                "Something was refused that no rule is proposed for; or lines are no records, or decisions were lost.",
            ),
            NOT_DONE,
        ],
        "monitor" => &[
            ("0", "It is done."),
            ("1", "Lines of --input are neither decisions nor comments."),
            NOT_DONE,
        ],
        "sgioctl" => &[
            ("0", "It is done, and the answer is yes."),
            (
                "1",
                "It is done, and the answer is no: see the page of the command.",
            ),
            NOT_DONE,
            UNREPORTED,
        ],
        _ => &[DONE, NOT_DONE],
    }
}

/// The files that a command reads or writes.
pub(super) fn files(command: &str) -> Vec<(&'static str, &'static str)> {
    const POLICIES: (&str, &str) = (
        "/etc/sgio-filter/policy.d/*.toml",
        "Policies, see sgio-policy(5).",
    );
    const PROFILES: (&str, &str) = (
        "/etc/sgio-filter/profiles/*.toml, /usr/share/sgio-filter/profiles/*.toml",
        "Profiles of the site and of the distribution.",
    );
    const NODE: (&str, &str) = (
        "/dev/sgio_filter",
        "Takes transactions and answers questions, see sgio_filter(4).",
    );
    const SYSFS: (&str, &str) = (
        "/sys/bus/scsi/devices/H:C:T:L/sgio_filter/",
        "What is in force on a device.",
    );
    const RECORDS: (&str, &str) = (
        "/run/sgio-filter/",
        "On which device objects a policy has been put in force, so that an event does it once.",
    );
    const TRACEFS: (&str, &str) = (
        "/sys/kernel/tracing/instances/sgioctl-PID/",
        "The buffer that decisions come through, as long as it runs.",
    );
    match command {
        "apply" => vec![POLICIES, PROFILES, NODE, RECORDS],
        "diff" | "lint" => vec![POLICIES, PROFILES, SYSFS],
        "profiles" => vec![PROFILES],
        "allow" | "deny" | "set" | "reset" | "complain" => vec![NODE, SYSFS],
        "monitor" => vec![TRACEFS],
        "list" | "show" | "check" => vec![SYSFS, NODE],
        "doctor" => vec![POLICIES, SYSFS, NODE],
        "sgioctl" => vec![POLICIES, PROFILES, NODE, SYSFS, RECORDS],
        _ => Vec::new(),
    }
}
