// SPDX-License-Identifier: GPL-2.0

//! A set of byte values: the opcodes of a rule, or the values a field may have.

/// A set of `u8` values, 32 bytes large.
///
/// Bit `v % 64` of word `v / 64` is set when `v` is in the set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// The set without a value.
    pub const EMPTY: ByteSet = ByteSet([0; 4]);

    /// The set of all 256 values.
    pub const FULL: ByteSet = ByteSet([u64::MAX; 4]);

    /// Returns the set of the given values, in any order.
    pub const fn from_bytes(values: &[u8]) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        let mut rest = values;
        while let [first, tail @ ..] = rest {
            set.insert(*first);
            rest = tail;
        }
        set
    }

    /// Puts `value` into the set.
    #[inline]
    pub const fn insert(&mut self, value: u8) {
        // `value >> 6` is at most 3, so this cannot be out of bounds (and the compiler knows).
        self.0[(value >> 6) as usize] |= 1 << (value & 63);
    }

    /// Puts all values from `first` to `last`, both included, into the set.
    ///
    /// Nothing is inserted when `last` is smaller than `first`.
    pub const fn insert_range(&mut self, first: u8, last: u8) {
        let mut value = first;
        while value <= last {
            self.insert(value);
            if value == u8::MAX {
                break;
            }
            value += 1;
        }
    }

    /// Tells whether `value` is in the set.
    #[inline]
    pub const fn contains(&self, value: u8) -> bool {
        (self.0[(value >> 6) as usize] >> (value & 63)) & 1 != 0
    }

    /// Returns the set of the values of both.
    pub const fn union(&self, other: &ByteSet) -> ByteSet {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        ByteSet([a | e, b | f, c | g, d | h])
    }

    /// Tells whether the set has no value.
    pub const fn is_empty(&self) -> bool {
        matches!(self.0, [0, 0, 0, 0])
    }

    /// Returns how many values the set has, 0 to 256.
    pub const fn len(&self) -> usize {
        let [a, b, c, d] = self.0;
        (a.count_ones() + b.count_ones() + c.count_ones() + d.count_ones()) as usize
    }

    /// Returns the values in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=u8::MAX).filter(|value| self.contains(*value))
    }

    /// Returns the runs of adjacent values, ascending, as (first, last), both included.
    pub fn ranges(&self) -> Ranges<'_> {
        Ranges {
            set: self,
            next: Some(0),
        }
    }
}

/// The iterator of [`ByteSet::ranges`].
pub struct Ranges<'a> {
    set: &'a ByteSet,
    /// The lowest value not looked at yet; `None` behind 255.
    next: Option<u8>,
}

impl Iterator for Ranges<'_> {
    type Item = (u8, u8);

    fn next(&mut self) -> Option<(u8, u8)> {
        let mut first = self.next?;
        while !self.set.contains(first) {
            self.next = first.checked_add(1);
            first = self.next?;
        }
        let mut last = first;
        loop {
            self.next = last.checked_add(1);
            match self.next {
                Some(value) if self.set.contains(value) => last = value,
                _ => return Some((first, last)),
            }
        }
    }
}

#[cfg(any(test, CONFIG_KUNIT))]
#[cfg_attr(not(test), kernel::macros::kunit_tests(sgio_filter_policy_byteset))]
mod tests {
    use super::ByteSet;

    #[test]
    fn each_value_stands_alone() {
        for value in 0..=255u8 {
            let set = ByteSet::from_bytes(&[value]);
            assert_eq!(set.len(), 1);
            assert!((0..=255u8).all(|other| set.contains(other) == (other == value)));
            assert!(set.ranges().eq([(value, value)]));
            assert!(set.iter().eq([value]));
        }
    }

    #[test]
    fn ranges_reach_both_ends() {
        let mut set = ByteSet::EMPTY;
        set.insert_range(0, 255);
        assert!(set == ByteSet::FULL);
        assert!(set.ranges().eq([(0, 255)]));
        assert_eq!(set.len(), 256);

        set = ByteSet::EMPTY;
        set.insert_range(0x3f, 0x40);
        set.insert_range(0xff, 0xff);
        set.insert_range(0x00, 0x00);
        assert!(set.ranges().eq([(0, 0), (0x3f, 0x40), (0xff, 0xff)]));
        assert!(set.contains(0x3f) && set.contains(0x40));
        assert!(!set.contains(0x3e) && !set.contains(0x41));
    }

    #[test]
    fn neighbours_merge_and_descending_is_nothing() {
        let mut set = ByteSet::from_bytes(&[4, 2, 3, 9]);
        assert!(set.ranges().eq([(2, 4), (9, 9)]));
        set.insert_range(8, 5);
        assert_eq!(set.len(), 4);
        set.insert_range(5, 8);
        assert!(set.ranges().eq([(2, 9)]));
    }

    #[test]
    fn empty_is_empty() {
        assert!(ByteSet::EMPTY.is_empty());
        assert!(ByteSet::EMPTY.ranges().next().is_none());
        assert!(ByteSet::from_bytes(&[]).is_empty());
        assert!(!ByteSet::from_bytes(&[0]).is_empty());
        assert!(!ByteSet::from_bytes(&[255]).is_empty());
    }
}
