// SPDX-License-Identifier: GPL-2.0

//! Which blocks are for a device, found by the unit that they name.

use super::{select::as_scsi_id, spelling, Block, Maps, Selector};
use crate::device::{Device, Hctl};
use std::{collections::HashMap, mem::Discriminant};

/// What identifies a unit in a selector: of thousands of blocks, most name one unit each. Blocks whose keys are of one
/// kind and differ have no device in common.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Key {
    Wwid(String),
    Hctl(Hctl),
    Serial(String),
}

impl Key {
    /// The key of a selector, if it names one unit.
    pub(super) fn of(selector: &Selector) -> Option<Key> {
        let wwid = selector.wwid.as_ref().filter(|wwid| !wwid.value.is_glob());
        let wwid = wwid.map(|wwid| Key::Wwid(wwid.value.text().to_ascii_lowercase()));
        let hctl = selector.hctl.as_ref().map(|hctl| Key::Hctl(hctl.value));
        let serial = selector
            .serial
            .as_ref()
            .map(|serial| Key::Serial(spelling::serial(&serial.value)));
        wwid.or(hctl).or(serial)
    }

    /// The keys that mean a device.
    fn all(device: &Device) -> Vec<Key> {
        let mut keys = vec![Key::Hctl(device.hctl)];
        keys.extend(
            device
                .serial
                .iter()
                .map(|serial| Key::Serial(spelling::serial(serial))),
        );
        if let Some(wwid) = &device.wwid {
            let (plain, id) = (wwid.to_ascii_lowercase(), as_scsi_id(wwid));
            if plain != id {
                keys.push(Key::Wwid(plain));
            }
            keys.push(Key::Wwid(id));
        }
        keys
    }
}

/// The blocks by the unit that they name.
pub struct Index<'a> {
    blocks: &'a [Block],
    by_key: HashMap<Key, Vec<usize>>,
    /// Those that name none.
    others: Vec<usize>,
    /// The others by the kind of their key.
    kinds: HashMap<Discriminant<Key>, Vec<usize>>,
}

impl<'a> Index<'a> {
    /// The index of some blocks.
    pub fn new(blocks: &'a [Block]) -> Index<'a> {
        let mut index = Index {
            blocks,
            by_key: HashMap::new(),
            others: Vec::new(),
            kinds: HashMap::new(),
        };
        for (number, block) in blocks.iter().enumerate() {
            match Key::of(&block.selector) {
                Some(key) => {
                    let kind = std::mem::discriminant(&key);
                    index.kinds.entry(kind).or_default().push(number);
                    index.by_key.entry(key).or_default().push(number);
                }
                None => index.others.push(number),
            }
        }
        index
    }

    /// The number of the block that decides on a device: the first that matches.
    pub fn block_of(&self, device: &Device, maps: &Maps) -> Option<usize> {
        let keys = Key::all(device);
        let named = keys.iter().filter_map(|key| self.by_key.get(key));
        let first = |numbers: &Vec<usize>| {
            let mut numbers = numbers.iter().copied();
            numbers.find(|number| self.is_meant(*number, device, maps))
        };
        named.chain([&self.others]).filter_map(first).min()
    }

    /// The numbers of all blocks that match a device, in their order.
    pub fn blocks_of(&self, device: &Device, maps: &Maps) -> Vec<usize> {
        let keys = Key::all(device);
        let named = keys.iter().filter_map(|key| self.by_key.get(key));
        let numbers = named.chain([&self.others]).flatten().copied();
        let mut found: Vec<usize> = numbers
            .filter(|number| self.is_meant(*number, device, maps))
            .collect();
        found.sort_unstable();
        found
    }

    fn is_meant(&self, number: usize, device: &Device, maps: &Maps) -> bool {
        let block = self.blocks.get(number);
        block.is_some_and(|block| block.selector.matches(device, maps))
    }

    /// The numbers of blocks before one that may have devices in common with it, as far as keys tell.
    pub(super) fn before(&self, number: usize) -> Vec<usize> {
        let key = self
            .blocks
            .get(number)
            .and_then(|block| Key::of(&block.selector));
        let mut found: Vec<usize> = match &key {
            None => (0..number).collect(),
            Some(key) => {
                let kind = std::mem::discriminant(key);
                let same = self.by_key.get(key).into_iter().flatten().copied();
                // Blocks by another kind of key may mean the same unit.
                let others = self.kinds.iter().filter(|(other, _)| **other != kind);
                let others = others.flat_map(|(_, numbers)| numbers.iter().copied());
                same.chain(others)
                    .chain(self.others.iter().copied())
                    .collect()
            }
        };
        found.retain(|before| *before < number);
        found.sort_unstable();
        found
    }
}
