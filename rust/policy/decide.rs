// SPDX-License-Identifier: GPL-2.0

//! The decision on one command. It runs for every SG_IO: no allocation, no formatting.
//!
//! Capabilities are not part of it: the caller checks `CAP_SYS_RAWIO` after a refusal, and only then.

use super::{
    opcode::REPORT_LUNS,
    Access,
    Action, //
    Cdb,
    Decision,
    Filter,
    Layer,
    Time,
};

/// The policy of a device: what the decision depends on besides the command.
#[derive(Clone, Copy)]
pub struct DevicePolicy<'a> {
    /// The device's `unpriv_sgio`: everything is allowed.
    pub unpriv: bool,
    /// The device's own rules, if it has any.
    pub device: Option<Filter<'a>>,
    /// The rules of the device's class.
    pub class: Filter<'a>,
    /// The device's `report_luns` is `own`.
    pub own_luns: bool,
}

/// Decides on a command of a sender who holds no grant: `unpriv_sgio`, then the device's rules, then the class's; the
/// first rule that matches decides; if none does, the command is refused. REPORT LUNS that is allowed is
/// [`Decision::OwnLuns`] where the device's `report_luns` is `own`.
///
/// `now` is called for each rule with a deadline that is looked at, and not at all without one. The clock
/// does not go back, so the decision is that of the time of the last call.
#[inline]
pub fn decide(
    policy: &DevicePolicy<'_>,
    cdb: &Cdb<'_>,
    open_for_write: bool,
    now: impl Fn() -> Time,
) -> Decision {
    decide_with_grants(policy, cdb, open_for_write, now, || None)
}

/// The same for a sender who may hold grants. `granted` looks for the first grant of the sender that
/// [allows](allowed_by_grant) the command, and returns the number of the rule in it. It is called unless `unpriv_sgio`
/// is set or a rule of the device denies: those come before grants, all else behind them.
#[inline]
pub fn decide_with_grants(
    policy: &DevicePolicy<'_>,
    cdb: &Cdb<'_>,
    open_for_write: bool,
    now: impl Fn() -> Time,
    granted: impl FnOnce() -> Option<u16>,
) -> Decision {
    let decision = by_rules(policy, cdb, open_for_write, now, granted);
    if policy.own_luns && cdb.opcode() == REPORT_LUNS && decision.is_allowed() {
        return Decision::OwnLuns;
    }
    decision
}

#[inline]
fn by_rules(
    policy: &DevicePolicy<'_>,
    cdb: &Cdb<'_>,
    open_for_write: bool,
    now: impl Fn() -> Time,
    granted: impl FnOnce() -> Option<u16>,
) -> Decision {
    if policy.unpriv {
        return Decision::Unpriv;
    }

    let mut layer = Layer::Device;
    let mut found = match &policy.device {
        Some(filter) => filter.first_match(cdb, &now),
        None => None,
    };
    let denied = found.is_some_and(|(_, rule)| rule.action() == Action::Deny);
    if !denied {
        if let Some(number) = granted() {
            return Decision::Allowed(Layer::Grant, number);
        }
    }
    if found.is_none() {
        layer = Layer::Class;
        found = policy.class.first_match(cdb, &now);
    }

    match found {
        None => Decision::NoRule,
        Some((number, rule)) => match rule.action() {
            Action::Allow(Access::Write) if !open_for_write => {
                Decision::NeedsWriteOpen(layer, number)
            }
            Action::Allow(_) => Decision::Allowed(layer, number),
            Action::Deny => Decision::Denied(layer, number),
        },
    }
}

/// Returns the number of the rule by which a grant with these rules allows a command, if it does. A grant only gives: where
/// its first rule that matches is a `deny`, or an `allow w` and the file is not open for writing, it says nothing.
#[inline]
pub fn allowed_by_grant(
    rules: &Filter<'_>,
    cdb: &Cdb<'_>,
    open_for_write: bool,
    now: impl Fn() -> Time,
) -> Option<u16> {
    let (number, rule) = rules.first_match(cdb, now)?;
    match rule.action() {
        Action::Allow(Access::Write) if !open_for_write => None,
        Action::Allow(_) => Some(number),
        Action::Deny => None,
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_decide))]
mod tests {
    use super::super::{
        allowed_by_grant,
        decide,
        decide_with_grants,
        tests::support::compile,
        Cdb,
        Decision::{
            self,
            Allowed,
            Denied,
            NeedsWriteOpen,
            NoRule,
            OwnLuns,
            Unpriv, //
        },
        DevicePolicy,
        Filter,
        Layer::{
            Class,
            Device,
            Grant, //
        },
        Time, //
    };

    /// A clock for lists without deadlines: every rule with one would have ended.
    fn no_clock() -> Time {
        Time::from_nanos(u64::MAX)
    }

    /// Decides with the rules of two texts; the device has none of its own if its text is empty.
    fn ask(device: &str, class: &str, cdb: &[u8], open_for_write: bool) -> Option<Decision> {
        ask_at(Time::ZERO, device, class, cdb, open_for_write)
    }

    /// The same after a time.
    fn ask_at(
        now: Time,
        device: &str,
        class: &str,
        cdb: &[u8],
        open_for_write: bool,
    ) -> Option<Decision> {
        let device = compile(device);
        let class = compile(class)?;
        let state = DevicePolicy {
            unpriv: false,
            device: device.as_ref().map(|device| device.view()),
            class: class.view(),
            own_luns: false,
        };
        Some(decide(&state, &Cdb::new(cdb)?, open_for_write, || now))
    }

    #[test]
    fn order() {
        let class = "allow r 12\nallow w 2a\ndeny 48\nallow r 00-7f";
        for (device, opcode, reader, writer) in [
            // The class alone.
            ("", 0x12, Allowed(Class, 0), Allowed(Class, 0)),
            ("", 0x2a, NeedsWriteOpen(Class, 1), Allowed(Class, 1)),
            ("", 0x48, Denied(Class, 2), Denied(Class, 2)),
            ("", 0x5f, Allowed(Class, 3), Allowed(Class, 3)),
            ("", 0x89, NoRule, NoRule),
            // The device's rules first, the class's where they are silent.
            ("deny 12", 0x12, Denied(Device, 0), Denied(Device, 0)),
            ("deny 12", 0x2a, NeedsWriteOpen(Class, 1), Allowed(Class, 1)),
            ("allow r 2a", 0x2a, Allowed(Device, 0), Allowed(Device, 0)),
            (
                "deny 00\nallow w 48",
                0x48,
                NeedsWriteOpen(Device, 1),
                Allowed(Device, 1),
            ),
            (
                "allow w 5e-5f,89",
                0x89,
                NeedsWriteOpen(Device, 0),
                Allowed(Device, 0),
            ),
            // A rule that needs a write open is a refusal for a reader, whatever comes later.
            (
                "allow w 12",
                0x12,
                NeedsWriteOpen(Device, 0),
                Allowed(Device, 0),
            ),
            (
                "allow w 12\nallow r 12",
                0x12,
                NeedsWriteOpen(Device, 0),
                Allowed(Device, 0),
            ),
        ] {
            for (open_for_write, expected) in [(false, reader), (true, writer)] {
                let decision = ask(device, class, &[opcode, 0, 0, 0, 0, 0], open_for_write);
                assert_eq!(decision, Some(expected));
            }
        }
    }

    #[test]
    fn fields() {
        let class = "deny 5f";
        let device = "allow w 5f [1]&1f=00-04,06";
        for action in 0..32u8 {
            let expected = match action {
                0..=4 | 6 => Allowed(Device, 0),
                _ => Denied(Class, 0),
            };
            for high in [0x00, 0x20, 0xe0] {
                let cdb = [0x5f, high | action, 0, 0, 0, 0, 0, 0, 0x18, 0];
                assert_eq!(ask(device, class, &cdb, true), Some(expected));
            }
        }
        // A CDB cut short does not get by a deny rule with a field, nor through an allow rule.
        let deny = "deny 9e [1]&1f=18\nallow r 9e";
        assert_eq!(ask("", deny, &[0x9e], false), Some(Denied(Class, 0)));
        assert_eq!(ask(device, class, &[0x5f], true), Some(Denied(Class, 0)));
    }

    #[test]
    fn a_rule_decides_up_to_its_deadline() {
        let class = "allow w 89\ndeny 12 for=3\nallow r 12";
        let device = "deny 89 for=2\nallow r 89 for=4\nallow r 5f [1]=00 for=2";
        let second = 1_000_000_000;
        for (nanos, opcode, expected) in [
            (0, 0x89, Denied(Device, 0)),
            (2 * second - 1, 0x89, Denied(Device, 0)),
            (2 * second, 0x89, Allowed(Device, 1)),
            (4 * second - 1, 0x89, Allowed(Device, 1)),
            (4 * second, 0x89, NeedsWriteOpen(Class, 0)),
            (3 * second - 1, 0x12, Denied(Class, 1)),
            (3 * second, 0x12, Allowed(Class, 2)),
            (2 * second - 1, 0x5f, Allowed(Device, 2)),
            (2 * second, 0x5f, NoRule),
        ] {
            let now = Time::from_nanos(nanos);
            let decision = ask_at(now, device, class, &[opcode, 0], false);
            assert_eq!(decision, Some(expected));
        }
    }

    #[test]
    fn unpriv_comes_first() {
        let deny = compile("deny 00-ff");
        assert!(deny.is_some());
        for opcode in 0..=255u8 {
            for unpriv in [true, false] {
                let decision = deny.as_ref().and_then(|deny| {
                    let state = DevicePolicy {
                        unpriv,
                        device: Some(deny.view()),
                        class: deny.view(),
                        own_luns: false,
                    };
                    Some(decide(&state, &Cdb::new(&[opcode])?, false, no_clock))
                });
                let expected = if unpriv { Unpriv } else { Denied(Device, 0) };
                assert_eq!(decision, Some(expected));
            }
        }
    }

    #[test]
    fn without_rules_everything_is_refused() {
        let state = DevicePolicy {
            unpriv: false,
            device: Some(Filter::EMPTY),
            class: Filter::EMPTY,
            own_luns: true,
        };
        for opcode in 0..=255u8 {
            let cdb = [opcode; 16];
            let decision = Cdb::new(&cdb).map(|cdb| decide(&state, &cdb, true, no_clock));
            assert_eq!(decision, Some(NoRule));
        }
    }

    /// Decides with a grant.
    fn ask_with(
        grant: &str,
        device: &str,
        unpriv: bool,
        cdb: &[u8],
        write: bool,
    ) -> Option<Decision> {
        let grant = compile(grant)?;
        let device = compile(device);
        let class = compile("deny 48\nallow r 12\nallow w 2a")?;
        let policy = DevicePolicy {
            unpriv,
            device: device.as_ref().map(|device| device.view()),
            class: class.view(),
            own_luns: true,
        };
        let cdb = Cdb::new(cdb)?;
        let granted = || allowed_by_grant(&grant.view(), &cdb, write, no_clock);
        Some(decide_with_grants(&policy, &cdb, write, no_clock, granted))
    }

    #[test]
    fn grants() {
        let grant = "deny 5f [1]&1f=03\nallow w 5e,5f\nallow r a0\nallow r 12\nallow w 48";
        for (device, cdb, reader, writer) in [
            // What nothing else mentions.
            ("", &[0x5f, 0x00][..], NoRule, Allowed(Grant, 1)),
            // What the grant excepts is left to the rules.
            ("", &[0x5f, 0x03], NoRule, NoRule),
            (
                "allow r 5f",
                &[0x5f, 0x03],
                Allowed(Device, 0),
                Allowed(Device, 0),
            ),
            // It does not take away what the rules give to a reader.
            (
                "allow r 5f",
                &[0x5f, 0x00],
                Allowed(Device, 0),
                Allowed(Grant, 1),
            ),
            (
                "allow w 5f",
                &[0x5f, 0x00],
                NeedsWriteOpen(Device, 0),
                Allowed(Grant, 1),
            ),
            // The device's `deny` holds against it, the class's does not.
            (
                "deny 5f",
                &[0x5f, 0x00],
                Denied(Device, 0),
                Denied(Device, 0),
            ),
            ("deny 5f [1]=00", &[0x5f, 0x01], NoRule, Allowed(Grant, 1)),
            (
                "allow w 5f\ndeny 5f",
                &[0x5f, 0x00],
                NeedsWriteOpen(Device, 0),
                Allowed(Grant, 1),
            ),
            ("", &[0x48], Denied(Class, 0), Allowed(Grant, 4)),
            // The grant comes first where both allow.
            ("", &[0x12], Allowed(Grant, 3), Allowed(Grant, 3)),
            ("", &[0x2a], NeedsWriteOpen(Class, 2), Allowed(Class, 2)),
            ("", &[0xa0], OwnLuns, OwnLuns),
        ] {
            for (write, expected) in [(false, reader), (true, writer)] {
                assert_eq!(ask_with(grant, device, false, cdb, write), Some(expected));
                assert_eq!(
                    ask_with("deny 00-ff", device, false, cdb, write),
                    ask_with("deny ff", device, false, cdb, write)
                );
            }
        }
        assert_eq!(
            ask_with(grant, "deny 5f", true, &[0x5f], false),
            Some(Unpriv)
        );
    }

    #[test]
    fn a_grant_rule_decides_up_to_its_deadline() {
        let second = 1_000_000_000;
        for (nanos, expected) in [(0, Some(0)), (2 * second - 1, Some(0)), (2 * second, None)] {
            let grant = compile("allow r 5e for=2");
            let number = grant.as_ref().and_then(|grant| {
                allowed_by_grant(&grant.view(), &Cdb::new(&[0x5e])?, false, || {
                    Time::from_nanos(nanos)
                })
            });
            assert_eq!(number, expected);
        }
    }

    #[test]
    fn own_luns() {
        let rules = compile("allow r 12\nallow w a0");
        assert!(rules.is_some());
        for (opcode, unpriv, open_for_write, expected) in [
            (0xa0, false, true, OwnLuns),
            (0xa0, true, false, OwnLuns),
            // What is refused anyway is refused for its own reason.
            (0xa0, false, false, NeedsWriteOpen(Class, 1)),
            (0x12, false, false, Allowed(Class, 0)),
            (0x12, true, false, Unpriv),
        ] {
            let decision = rules.as_ref().and_then(|rules| {
                let state = DevicePolicy {
                    unpriv,
                    device: None,
                    class: rules.view(),
                    own_luns: true,
                };
                Some(decide(
                    &state,
                    &Cdb::new(&[opcode; 12])?,
                    open_for_write,
                    no_clock,
                ))
            });
            assert_eq!(decision, Some(expected));
        }
    }
}
