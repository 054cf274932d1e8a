// SPDX-License-Identifier: GPL-2.0

//! The decision on a command: allowed or not, why, and by which rule.
//!
//! Its codes and names are those that user space sees. The codes are defined in
//! `rust/uapi/sgio_filter.h`; the module and the crate of the tool assert that these are the same.

/// The list that the deciding rule stands in: `SGIO_FILTER_LAYER_DEVICE`, ...
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer {
    /// The device's own rules.
    Device = 1,
    /// The rules of its class.
    Class = 2,
    /// The rules of a grant that the sender holds on the device.
    Grant = 3,
}

impl Layer {
    /// The code where no rule decides: `SGIO_FILTER_LAYER_NONE`.
    pub const NONE: u8 = 0;

    /// All of them, by code, from 1.
    pub const ALL: [Layer; 3] = [Layer::Device, Layer::Class, Layer::Grant];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Layer::Device => "device",
            Layer::Class => "class",
            Layer::Grant => "grant",
        }
    }
}

/// The reason of a decision: `SGIO_FILTER_NO_RULE`, ...
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Refused: no rule matches.
    NoRule = 0,
    /// Allowed: `unpriv_sgio` is set.
    Unpriv = 1,
    /// Allowed by a rule.
    Allowed = 2,
    /// Refused by a `deny` rule.
    Denied = 3,
    /// Refused by an `allow w` rule: the file is not open for writing.
    NeedsWrite = 4,
    /// REPORT LUNS that would be allowed: refused, or answered without the device (`report_luns`).
    OwnLuns = 5,
    /// PERSISTENT RESERVE OUT that would be allowed: refused, since another cgroup owns the I_T_L
    /// nexus (`pr_exclusive`).
    NotOwner = 6,
}

impl Reason {
    /// All of them, by code.
    pub const ALL: [Reason; 7] = [
        Reason::NoRule,
        Reason::Unpriv,
        Reason::Allowed,
        Reason::Denied,
        Reason::NeedsWrite,
        Reason::OwnLuns,
        Reason::NotOwner,
    ];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::NoRule => "no_rule",
            Reason::Unpriv => "unpriv",
            Reason::Allowed => "allowed",
            Reason::Denied => "denied",
            Reason::NeedsWrite => "needs_write",
            Reason::OwnLuns => "own_luns",
            Reason::NotOwner => "not_owner",
        }
    }

    /// Finds a reason by its name.
    pub fn from_name(name: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// The answer, and the reason for it. Rules are counted from 0 in their layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// [`Reason::Unpriv`].
    Unpriv,
    /// [`Reason::Allowed`].
    Allowed(Layer, u16),
    /// [`Reason::Denied`].
    Denied(Layer, u16),
    /// [`Reason::NeedsWrite`].
    NeedsWriteOpen(Layer, u16),
    /// [`Reason::NoRule`].
    NoRule,
    /// [`Reason::OwnLuns`].
    OwnLuns,
    /// [`Reason::NotOwner`]. The policy does not know the sender and never decides so.
    NotOwner,
}

impl Decision {
    /// Tells whether the command is allowed to a process without capabilities.
    #[inline]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Decision::Unpriv | Decision::Allowed(..))
    }

    /// Returns the reason.
    pub const fn reason(self) -> Reason {
        match self {
            Decision::NoRule => Reason::NoRule,
            Decision::Unpriv => Reason::Unpriv,
            Decision::Allowed(..) => Reason::Allowed,
            Decision::Denied(..) => Reason::Denied,
            Decision::NeedsWriteOpen(..) => Reason::NeedsWrite,
            Decision::OwnLuns => Reason::OwnLuns,
            Decision::NotOwner => Reason::NotOwner,
        }
    }

    /// Returns the rule that decides: its layer and its number there; `None` if no rule does.
    #[inline]
    pub const fn rule(self) -> Option<(Layer, u16)> {
        match self {
            Decision::NoRule | Decision::Unpriv | Decision::OwnLuns | Decision::NotOwner => None,
            Decision::Allowed(layer, number)
            | Decision::Denied(layer, number)
            | Decision::NeedsWriteOpen(layer, number) => Some((layer, number)),
        }
    }

    /// Returns the decision of these codes, `None` if there is none.
    pub fn from_codes(reason: u32, layer: u32, rule: u32) -> Option<Decision> {
        let reason = *Reason::ALL.get(usize::try_from(reason).ok()?)?;
        let rule = || {
            let found = Layer::ALL.into_iter().find(|known| *known as u32 == layer);
            Some((found?, u16::try_from(rule).ok()?))
        };
        Some(match reason {
            Reason::NoRule => Decision::NoRule,
            Reason::Unpriv => Decision::Unpriv,
            Reason::OwnLuns => Decision::OwnLuns,
            Reason::NotOwner => Decision::NotOwner,
            Reason::Allowed => rule().map(|(layer, number)| Decision::Allowed(layer, number))?,
            Reason::Denied => rule().map(|(layer, number)| Decision::Denied(layer, number))?,
            Reason::NeedsWrite => {
                rule().map(|(layer, number)| Decision::NeedsWriteOpen(layer, number))?
            }
        })
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_decision))]
mod tests {
    use super::{
        Decision::{
            self,
            Allowed,
            Denied,
            NeedsWriteOpen,
            NoRule,
            NotOwner,
            OwnLuns,
            Unpriv, //
        },
        Layer,
        Reason, //
    };

    const ALL: [(Decision, Reason, bool); 7] = [
        (NoRule, Reason::NoRule, false),
        (Unpriv, Reason::Unpriv, true),
        (Allowed(Layer::Grant, 0), Reason::Allowed, true),
        (Denied(Layer::Class, 4095), Reason::Denied, false),
        (NeedsWriteOpen(Layer::Device, 7), Reason::NeedsWrite, false),
        (OwnLuns, Reason::OwnLuns, false),
        (NotOwner, Reason::NotOwner, false),
    ];

    #[test]
    fn reasons() {
        for ((code, known), (decision, reason, allowed)) in (0u32..).zip(Reason::ALL).zip(ALL) {
            assert_eq!(known, reason);
            assert_eq!(reason as u32, code);
            assert_eq!(Reason::from_name(reason.name()), Some(reason));
            assert_eq!(decision.reason(), reason);
            assert_eq!(decision.is_allowed(), allowed);
        }
        assert_eq!(Reason::from_name("No_rule"), None);
    }

    #[test]
    fn codes() {
        for (decision, reason, _) in ALL {
            let (layer, rule) = match decision.rule() {
                None => (Layer::NONE.into(), 0),
                Some((layer, rule)) => (layer as u32, rule.into()),
            };
            let again = Decision::from_codes(reason as u32, layer, rule);
            assert_eq!(again, Some(decision));
        }
        for (reason, layer, rule) in [
            (7, 0, 0),
            (2, 0, 0),
            (3, 4, 0),
            (4, 1, 65536),
            (u32::MAX, 1, 0),
        ] {
            assert_eq!(Decision::from_codes(reason, layer, rule), None);
        }
    }

    #[test]
    fn small_enough_for_registers() {
        assert!(size_of::<Decision>() <= 8);
    }
}
