// SPDX-License-Identifier: GPL-2.0

//! Which of the grants on a device are a holder's: a hash table, since each command that a grant may allow asks for each
//! cgroup above its sender.

use kernel::prelude::*;

/// Where the grants of each holder begin in a list, by the id of its cgroup.
pub(super) struct HolderIndex {
    /// Open addressing; at most half of them are used, and there is a power of two of them.
    slots: KVVec<Slot>,
}

#[derive(Clone, Copy)]
struct Slot {
    /// 0, which is no id, in a slot that is not used.
    holder: u64,
    first: usize,
}

impl HolderIndex {
    /// The index of a list, which has the grants of one holder next to each other; these are their holders.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EINVAL` if there is a holder 0.
    pub(super) fn new(holders: impl Iterator<Item = u64> + Clone) -> Result<Self> {
        let empty = Slot {
            holder: 0,
            first: 0,
        };
        let size = (2 * holders.clone().count()).next_power_of_two().max(2);
        let mut index = Self {
            slots: KVVec::from_elem(empty, size, GFP_KERNEL)?,
        };
        let mut last = 0;
        for (first, holder) in holders.enumerate() {
            if holder == 0 {
                return Err(EINVAL);
            }
            if holder == last {
                continue;
            }
            last = holder;
            let free = index.probe(holder).find(|(_, slot)| slot.holder == 0);
            let (at, _) = free.ok_or(EINVAL)?;
            *index.slots.get_mut(at).ok_or(EINVAL)? = Slot { holder, first };
        }
        Ok(index)
    }

    /// Where the grants of a holder begin, if it has any.
    #[inline]
    pub(super) fn first(&self, holder: u64) -> Option<usize> {
        for (_, slot) in self.probe(holder) {
            if slot.holder == holder {
                return Some(slot.first);
            }
            if slot.holder == 0 {
                break;
            }
        }
        None
    }

    /// The slots in which it may be, in the order in which they are filled.
    #[inline]
    fn probe(&self, holder: u64) -> impl Iterator<Item = (usize, &Slot)> {
        // Ids are numbers in a row: a multiplication spreads them (Knuth, volume 3, 6.4).
        let hash = (holder.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
        let mask = self.slots.len().wrapping_sub(1);
        (0..self.slots.len()).filter_map(move |n| {
            let at = hash.wrapping_add(n) & mask;
            Some((at, self.slots.get(at)?))
        })
    }
}

#[kunit_tests(sgio_filter_holder_index)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_of_each_holder_and_nobody_else() -> Result {
        for count in [0usize, 1, 2, 3, 100, 4096] {
            // Two each, of ids with gaps.
            let holders = (0..count as u64).flat_map(|n| [1 + 3 * n; 2]);
            let index = HolderIndex::new(holders)?;
            for n in 0..count {
                assert_eq!(index.first(1 + 3 * n as u64), Some(2 * n));
                assert_eq!(index.first(2 + 3 * n as u64), None);
            }
            assert_eq!(index.first(u64::MAX), None);
        }
        Ok(())
    }

    #[test]
    fn what_hashes_alike_is_told_apart() -> Result {
        // In a table of four, one in four of these has the place of the first.
        for other in 2..100 {
            let index = HolderIndex::new([1, other].into_iter())?;
            assert_eq!((index.first(1), index.first(other)), (Some(0), Some(1)));
            assert_eq!(index.first(other + 1), None);
        }
        assert!(HolderIndex::new([0].into_iter()).is_err());
        Ok(())
    }
}
