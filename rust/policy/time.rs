// SPDX-License-Identifier: GPL-2.0

//! Rules with a deadline: the lifetime of a rule of a text, the deadline of a rule of a list.
//!
//! The caller passes the time in. Its clock must not go back. In the kernel it is `CLOCK_BOOTTIME`, so
//! the time in which the system sleeps counts.

use super::Rule;
use core::fmt::{
    Display,
    Formatter,
    Result, //
};

/// A time on the caller's clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Time(u64);

const NANOS_PER_SECOND: u64 = 1_000_000_000;

impl Time {
    /// The time at which the clock starts.
    pub const ZERO: Time = Time(0);

    /// The deadline of a rule without one: no clock ever shows it.
    const NEVER: Time = Time(u64::MAX);

    /// Returns the time that the clock shows after so many nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// Returns how many nanoseconds the clock has run then.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the deadline of a rule with that lifetime that is written at this time.
    ///
    /// Beyond the end of the clock (584 years) it is the time before [`Self::NEVER`], so that no rule
    /// becomes permanent.
    pub const fn after(self, lifetime: Lifetime) -> Time {
        let end = self.0.saturating_add(lifetime.0 as u64 * NANOS_PER_SECOND);
        if end < Time::NEVER.0 {
            Time(end)
        } else {
            Time(Time::NEVER.0 - 1)
        }
    }
}

/// How long a rule applies, in seconds: 1 to [`Self::MAX`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Lifetime(u32);

impl Lifetime {
    /// The longest one: 366 days.
    pub const MAX: Lifetime = Lifetime(366 * 24 * 60 * 60);

    /// Returns the lifetime of so many seconds, `None` if that is no lifetime.
    pub const fn from_secs(seconds: u32) -> Option<Lifetime> {
        if seconds == 0 || seconds > Lifetime::MAX.0 {
            return None;
        }
        Some(Lifetime(seconds))
    }

    /// Returns the number of seconds.
    pub const fn as_secs(self) -> u32 {
        self.0
    }
}

impl Display for Lifetime {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "for={}", self.0)
    }
}

/// A rule as a text has it. It prints as the text, without prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TextRule {
    /// The rule.
    pub rule: Rule,
    /// How long it applies from the moment of the change; `None`: until it is removed.
    pub lifetime: Option<Lifetime>,
}

impl TextRule {
    /// Returns the rule, `None` if it is one that ends.
    pub fn permanent(self) -> Option<Rule> {
        match self.lifetime {
            None => Some(self.rule),
            Some(_) => None,
        }
    }
}

impl Display for TextRule {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.lifetime {
            None => self.rule.fmt(f),
            Some(lifetime) => write!(f, "{} {lifetime}", self.rule),
        }
    }
}

/// A rule of a list. It cannot be printed without the time: see [`Self::at`].
// Not an `Option`, which would be 8 bytes larger.
#[derive(Clone, Copy)]
pub struct ListedRule {
    rule: Rule,
    deadline: Time,
}

impl ListedRule {
    /// Returns the rule of a list that a change at `now` puts there.
    pub const fn new(text: TextRule, now: Time) -> ListedRule {
        ListedRule {
            rule: text.rule,
            deadline: match text.lifetime {
                None => Time::NEVER,
                Some(lifetime) => now.after(lifetime),
            },
        }
    }

    /// Returns the rule that applies until it is removed.
    pub const fn permanent(rule: Rule) -> ListedRule {
        ListedRule {
            rule,
            deadline: Time::NEVER,
        }
    }

    /// Returns the rule itself.
    #[inline]
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Returns the time from which on it does not apply any more, if there is one.
    pub fn deadline(&self) -> Option<Time> {
        self.is_timed().then_some(self.deadline)
    }

    /// Tells whether it has a deadline.
    #[inline]
    pub const fn is_timed(&self) -> bool {
        self.deadline.0 != Time::NEVER.0
    }

    /// Tells whether it applies, which it does before its deadline. `now` is only called for a rule with
    /// a deadline.
    #[inline]
    pub fn applies(&self, now: impl FnOnce() -> Time) -> bool {
        !self.is_timed() || now() < self.deadline
    }

    /// Returns the text that would put the rule into a list at `now`, with the remaining seconds
    /// rounded up; `None` if it does not apply any more.
    pub fn at(&self, now: Time) -> Option<TextRule> {
        let lifetime = match self.deadline() {
            None => None,
            Some(Time(end)) => {
                let left = end.checked_sub(now.0)?.div_ceil(NANOS_PER_SECOND);
                let most = u64::from(Lifetime::MAX.0);
                Some(Lifetime::from_secs(left.min(most) as u32)?)
            }
        };
        Some(TextRule {
            rule: self.rule,
            lifetime,
        })
    }

    /// Takes over the deadline of `other` if that is later.
    pub(super) fn extend(&mut self, other: &ListedRule) {
        self.deadline = self.deadline.max(other.deadline);
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_time))]
mod tests {
    use super::{
        super::tests::support::{
            prints_as,
            text_rule, //
        },
        Lifetime,
        ListedRule,
        Time,
        NANOS_PER_SECOND, //
    };

    const START: u64 = 1_000_000_007;

    /// The rule of a text in a list since [`START`].
    fn listed(text: &str) -> Option<ListedRule> {
        Some(ListedRule::new(text_rule(text)?, Time::from_nanos(START)))
    }

    #[test]
    fn lifetimes() {
        for (seconds, good) in [
            (0, false),
            (1, true),
            (31_622_400, true),
            (31_622_401, false),
            (u32::MAX, false),
        ] {
            let lifetime = Lifetime::from_secs(seconds);
            assert_eq!(lifetime.is_some(), good);
            assert!(lifetime.is_none_or(|lifetime| lifetime.as_secs() == seconds));
        }
        assert_eq!(Lifetime::MAX.as_secs(), 31_622_400);
    }

    #[test]
    fn it_ends_at_its_deadline_exactly() {
        let rule = listed("allow w 89 for=600");
        let end = START + 600 * NANOS_PER_SECOND;
        for (nanos, text) in [
            (START, Some("allow w 89 for=600")),
            (START + 1, Some("allow w 89 for=600")),
            (START + NANOS_PER_SECOND - 1, Some("allow w 89 for=600")),
            (START + NANOS_PER_SECOND, Some("allow w 89 for=599")),
            (end - NANOS_PER_SECOND - 1, Some("allow w 89 for=2")),
            (end - NANOS_PER_SECOND, Some("allow w 89 for=1")),
            (end - 1, Some("allow w 89 for=1")),
            (end, None),
            (end + 1, None),
            (u64::MAX, None),
        ] {
            let now = Time::from_nanos(nanos);
            assert!(rule.is_some_and(|rule| rule.applies(|| now) == text.is_some()));
            let shown = rule.and_then(|rule| rule.at(now));
            assert!(match text {
                Some(text) => shown.is_some_and(|shown| prints_as(&shown, text)),
                None => shown.is_none(),
            });
        }
    }

    #[test]
    fn a_permanent_rule_asks_no_clock() {
        let rule = listed("deny 48");
        let mut asked = false;
        assert!(rule.is_some_and(|rule| rule.applies(|| {
            asked = true;
            Time::from_nanos(u64::MAX)
        })));
        assert!(!asked);
        assert!(rule.is_some_and(|rule| rule.deadline().is_none()));
        let last = rule.and_then(|rule| rule.at(Time::from_nanos(u64::MAX)));
        assert!(last.is_some_and(|rule| prints_as(&rule, "deny 48")));
    }

    #[test]
    fn the_end_of_the_clock_makes_nothing_permanent() {
        let day = Lifetime::from_secs(86_400);
        for start in [u64::MAX, u64::MAX - 1, u64::MAX - 5 * NANOS_PER_SECOND] {
            let end = day.map(|day| Time::from_nanos(start).after(day));
            assert_eq!(end, Some(Time::from_nanos(u64::MAX - 1)));
        }
        let rule = text_rule("allow w 89 for=31622400");
        let late = Time::from_nanos(u64::MAX);
        let rule = rule.map(|rule| ListedRule::new(rule, late));
        assert!(rule.is_some_and(|rule| rule.is_timed() && !rule.applies(|| late)));
    }

    #[test]
    fn small() {
        assert!(size_of::<ListedRule>() <= 248);
    }
}
