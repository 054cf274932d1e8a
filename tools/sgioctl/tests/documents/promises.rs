// SPDX-License-Identifier: GPL-2.0

//! What the documents promise of the rules that they show.

use sgio_policy::policy::Class;

/// A rule in a document, and what it must do.
#[derive(Clone)]
pub(crate) struct Promise {
    pub(crate) file: &'static str,
    pub(crate) rule: &'static str,
    /// Stands close to the rule.
    pub(crate) sentence: &'static str,
    pub(crate) meaning: Meaning,
}

/// What follows from the sentence.
#[derive(Clone)]
pub(crate) enum Meaning {
    /// The rule is about these commands of the class, all of each and nothing else.
    Commands(Class, &'static str),
    /// The rule is about these ATA commands and nothing else.
    Ata(&'static str),
    /// It shows how a rule is written.
    Syntax,
}

const fn promise(
    file: &'static str,
    rule: &'static str,
    sentence: &'static str,
    meaning: Meaning,
) -> Promise {
    Promise {
        file,
        rule,
        sentence,
        meaning,
    }
}

pub(crate) const PROMISES: &[Promise] = &[
    promise("README.md", "allow r 5e [1]&1f=00", "sgioctl allow sdb --read persistent-reserve-in:read-keys", Meaning::Commands(Class::DISK, "persistent-reserve-in:read-keys")),
    promise("Documentation/admin-guide/knobs.md", "allow w 5e,5f", "PERSISTENT RESERVE IN and OUT, write open", Meaning::Commands(Class::DISK, "persistent-reserve-in, persistent-reserve-out")),
    promise("Documentation/admin-guide/knobs.md", "allow r 85 [1]=08 [2]&08=08 [14]=ec", "ATA IDENTIFY for readers", Meaning::Ata("IDENTIFY DEVICE")),
    promise("Documentation/ABI/testing/dev-sgio_filter", "allow r 5e", "rules", Meaning::Syntax),
    promise("Documentation/ABI/testing/dev-sgio_filter", "allow w 5f [1]&1f=00-04,06", "rules", Meaning::Syntax),
    promise("Documentation/ABI/testing/sysfs-bus-scsi-devices-sgio_filter", "allow r 12", "Examples", Meaning::Syntax),
    promise("Documentation/ABI/testing/sysfs-bus-scsi-devices-sgio_filter", "allow w 5e,5f", "Examples", Meaning::Syntax),
    promise("Documentation/ABI/testing/sysfs-bus-scsi-devices-sgio_filter", "allow w 5f [1]&1f=00-04,06", "Examples", Meaning::Syntax),
    promise("Documentation/ABI/testing/sysfs-bus-scsi-devices-sgio_filter", "allow r 85 [1]=08 [2]&08=08 [14]=ec", "Examples", Meaning::Ata("IDENTIFY DEVICE")),
    promise("Documentation/ABI/testing/sysfs-bus-scsi-devices-sgio_filter", "allow w 7f [7]=18 [8]=00 [9]=0b-0d", "Examples", Meaning::Commands(Class::DISK, "write-32, write-and-verify-32, write-same-32")),
    promise("Documentation/ABI/testing/sysfs-bus-scsi-devices-sgio_filter", "allow r 5e", "each a line and its rules", Meaning::Syntax),
    promise("Documentation/ABI/testing/sysfs-bus-scsi-devices-sgio_filter", "deny 48", "allow w 5e,5f", Meaning::Syntax),
    promise("Documentation/ABI/testing/sysfs-kernel-sgio_filter", "deny 00-ff", "``deny 00-ff`` as its last", Meaning::Commands(Class::DISK, "all commands")),
    promise("Documentation/admin-guide/defaults.md", "deny 15,55", "Where capacity and settings are", Meaning::Commands(Class::DISK, "mode-select-6, mode-select-10")),
    promise("Documentation/admin-guide/policy-files.md", "allow r 9e [1]&1f=10", "# READ CAPACITY(16)", Meaning::Commands(Class::DISK, "read-capacity-16")),
    promise("Documentation/admin-guide/policy-files.md", "allow w c0-c3", "What our array's tool sends", Meaning::Commands(Class::DISK, "vendor-specific")),
    promise("Documentation/admin-guide/policy-files.md", "allow w 5f [1]&1f=00-04", "a rule is like", Meaning::Syntax),
    promise("Documentation/admin-guide/rules.md", "allow w 5f [1]&1f=00-04,06", "## A rule", Meaning::Syntax),
    promise("Documentation/admin-guide/rules.md", "allow w 5e,5f", "| PERSISTENT RESERVE IN and OUT |", Meaning::Commands(Class::DISK, "persistent-reserve-in, persistent-reserve-out")),
    promise("Documentation/admin-guide/rules.md", "allow r 5e", "| look at reservations, but make none |", Meaning::Commands(Class::DISK, "persistent-reserve-in")),
    promise("Documentation/admin-guide/rules.md", "allow w 5f [1]&1f=00-02,04,06-08", "reservations, but not CLEAR (3) and PREEMPT AND ABORT (5)", Meaning::Commands(Class::DISK, "persistent-reserve-out:register, persistent-reserve-out:reserve, persistent-reserve-out:release, persistent-reserve-out:preempt, persistent-reserve-out:register-and-ignore-existing-key, persistent-reserve-out:register-and-move, persistent-reserve-out:replace-lost-reservation")),
    promise("Documentation/admin-guide/rules.md", "allow w 89", "| COMPARE AND WRITE |", Meaning::Commands(Class::DISK, "compare-and-write")),
    promise("Documentation/admin-guide/rules.md", "allow w 83,84", "third-party copy: EXTENDED COPY, tokens, and what asks for results", Meaning::Commands(Class::DISK, "third-party-copy-out, third-party-copy-in")),
    promise("Documentation/admin-guide/rules.md", "allow r 85 [1]=08 [2]&08=08 [14]=ec", "ATA IDENTIFY by PASS-THROUGH(16)", Meaning::Ata("IDENTIFY DEVICE")),
    promise("Documentation/admin-guide/rules.md", "allow r 85 [1]=08 [2]&08=08 [4]=d0-d1,d5 [14]=b0", "SMART reading by PASS-THROUGH(16)", Meaning::Ata("SMART READ DATA, SMART READ ATTRIBUTE THRESHOLDS, SMART READ LOG")),
    promise("Documentation/admin-guide/rules.md", "allow r 85 [1]=06 [4]=da [14]=b0", "SMART reading by PASS-THROUGH(16)", Meaning::Ata("SMART RETURN STATUS")),
    promise("Documentation/admin-guide/rules.md", "allow w 7f [7]=18 [8]=00 [9]=0d", "| WRITE SAME(32) |", Meaning::Commands(Class::DISK, "write-same-32")),
    promise("Documentation/admin-guide/rules.md", "allow w c1 [1]=e1", "| one vendor specific command of a drive, not all with its opcode |", Meaning::Commands(Class::DISK, "vendor-specific [1]=e1")),
    promise("Documentation/admin-guide/targets.md", "deny 5f [1]&1f=05", "PREEMPT AND ABORT", Meaning::Commands(Class::DISK, "persistent-reserve-out:preempt-and-abort")),
    promise("Documentation/admin-guide/rules.md", "deny 15,55", "no other settings and no other capacity of a disk", Meaning::Commands(Class::DISK, "mode-select-6, mode-select-10")),
    promise("Documentation/admin-guide/rules.md", "deny 00-ff", "what reads and reports, and", Meaning::Commands(Class::DISK, "all commands")),
    promise("Documentation/admin-guide/rules.md", "allow w 5f", "*refuses* a 5f from a read-only file", Meaning::Commands(Class::DISK, "persistent-reserve-out")),
    promise("Documentation/admin-guide/rules.md", "allow w 5e,5f", "this list, instead of the old one", Meaning::Syntax),
    promise("Documentation/admin-guide/rules.md", "allow r 5e", "this list, instead of the old one", Meaning::Syntax),
    promise("Documentation/admin-guide/rules.md", "allow w 89", "this list, instead of the old one", Meaning::Syntax),
    promise("Documentation/admin-guide/rules.md", "deny 5f [1]&1f=03", "one more, in front of the others", Meaning::Syntax),
    promise("Documentation/admin-guide/sgioctl.md", "allow r 5e [1]&1f=00", "persistent-reserve-in:read-keys, once", Meaning::Commands(Class::DISK, "persistent-reserve-in:read-keys")),
    promise("Documentation/performance.md", "allow r 5e", "One PERSISTENT RESERVE IN (READ KEYS)", Meaning::Commands(Class::DISK, "persistent-reserve-in")),
    promise("samples/rules/cluster-disk", "allow r 5e [1]&1f=00-03", "keys, reservation, capabilities, status", Meaning::Commands(Class::DISK, "persistent-reserve-in:read-keys, persistent-reserve-in:read-reservation, persistent-reserve-in:report-capabilities, persistent-reserve-in:read-full-status")),
    promise("samples/rules/cluster-disk", "allow w 5f [1]&1f=00-06", "not REGISTER AND MOVE, REPLACE LOST RESERVATION", Meaning::Commands(Class::DISK, "persistent-reserve-out:register, persistent-reserve-out:reserve, persistent-reserve-out:release, persistent-reserve-out:clear, persistent-reserve-out:preempt, persistent-reserve-out:preempt-and-abort, persistent-reserve-out:register-and-ignore-existing-key")),
    promise("samples/rules/cluster-disk", "allow w 89", "# COMPARE AND WRITE", Meaning::Commands(Class::DISK, "compare-and-write")),
    promise("samples/rules/read-only", "allow r 12,a0,00,03", "INQUIRY, REPORT LUNS, TEST UNIT READY, REQUEST SENSE", Meaning::Commands(Class::DISK, "test-unit-ready, request-sense, inquiry, report-luns")),
    promise("samples/rules/read-only", "allow r 1a,5a", "MODE SENSE(6), MODE SENSE(10)", Meaning::Commands(Class::DISK, "mode-sense-6, mode-sense-10")),
    promise("samples/rules/read-only", "allow r 1c", "RECEIVE DIAGNOSTIC RESULTS", Meaning::Commands(Class::DISK, "receive-diagnostic-results")),
    promise("samples/rules/read-only", "allow r 25", "READ CAPACITY(10)", Meaning::Commands(Class::DISK, "read-capacity-10")),
    promise("samples/rules/read-only", "allow r 9e [1]&1f=10,12", "READ CAPACITY(16), GET LBA STATUS(16)", Meaning::Commands(Class::DISK, "read-capacity-16, get-lba-status-16")),
    promise("samples/rules/read-only", "allow r 08,28,a8,88", "READ(6), READ(10), READ(12), READ(16)", Meaning::Commands(Class::DISK, "read-6, read-10, read-16, read-12")),
    promise("samples/rules/read-only", "allow r 7f [7]=18 [8]=00 [9]=09-0a", "READ(32), VERIFY(32)", Meaning::Commands(Class::DISK, "read-32, verify-32")),
    promise("samples/rules/read-only", "allow r 2f,af,8f", "VERIFY(10), VERIFY(12), VERIFY(16)", Meaning::Commands(Class::DISK, "verify-10, verify-16, verify-12")),
    promise("samples/rules/read-only", "allow r 37,b7", "READ DEFECT DATA(10), READ DEFECT DATA(12)", Meaning::Commands(Class::DISK, "read-defect-data-10, read-defect-data-12")),
    promise("samples/rules/read-only", "allow r 4d [1]&01=00", "LOG SENSE, without saving the parameters", Meaning::Commands(Class::DISK, "log-sense:read")),
    promise("samples/rules/read-only", "deny 00-ff", "LOG SENSE, without saving", Meaning::Commands(Class::DISK, "all commands")),
    promise("samples/rules/read-only-audit", "allow r 12,a0,00,03", "INQUIRY, REPORT LUNS, TEST UNIT READY, REQUEST SENSE", Meaning::Commands(Class::DISK, "test-unit-ready, request-sense, inquiry, report-luns")),
    promise("samples/rules/read-only-audit", "allow r 25", "READ CAPACITY(10)", Meaning::Commands(Class::DISK, "read-capacity-10")),
    promise("samples/rules/read-only-audit", "allow r 9e [1]&1f=10", "READ CAPACITY(16)", Meaning::Commands(Class::DISK, "read-capacity-16")),
    promise("samples/rules/read-only-audit", "allow r 1a,5a", "MODE SENSE", Meaning::Commands(Class::DISK, "mode-sense-6, mode-sense-10")),
    promise("samples/rules/read-only-audit", "allow r 4d [1]&01=00", "LOG SENSE, without saving the parameters", Meaning::Commands(Class::DISK, "log-sense:read")),
    promise("samples/rules/read-only-audit", "deny 00-ff", "LOG SENSE, without saving", Meaning::Commands(Class::DISK, "all commands")),
    promise("tools/sgioctl/man/sgio-policy.5", "allow r 9e [1]&1f=10", "wwid", Meaning::Syntax),
    promise("tools/sgioctl/man/sgio-policy.5", "allow w c0-c3", "what our array's tool sends", Meaning::Commands(Class::DISK, "vendor-specific")),
    promise("tools/sgioctl/man/sgio_filter.4", "allow r 12", "any open", Meaning::Syntax),
    promise("tools/sgioctl/man/sgio_filter.4", "allow w 5f [1]&1f=00-04,06", "open for writing; byte 1 under mask 1f", Meaning::Syntax),
    promise("tools/sgioctl/man/sgio_filter.4", "deny 48,c0-ff", ".SH RULES", Meaning::Syntax),
    promise("Documentation/ABI/testing/sysfs-bus-scsi-devices-sgio_filter", "allow w 89 for=600", "Examples", Meaning::Syntax),
    promise("Documentation/admin-guide/rules.md", "allow w 89 for=600", "one more, in front of the others", Meaning::Syntax),
    promise("Documentation/admin-guide/rules.md", "allow w 5e,5f for=3600", "for=", Meaning::Syntax),
    promise("Documentation/admin-guide/rules.md", "allow w 5e-5f for=3597", "for=", Meaning::Syntax),
    promise("Documentation/admin-guide/rules.md", "allow w 89 for=600", "is there for good", Meaning::Syntax),
    promise("Documentation/admin-guide/rules.md", "allow w 89", "is there for good", Meaning::Syntax),
];
