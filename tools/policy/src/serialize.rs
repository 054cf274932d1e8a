// SPDX-License-Identifier: GPL-2.0

//! The policy's types in JSON.

use crate::policy::Hctl;
use serde::{Serialize, Serializer};

impl Serialize for Hctl {
    /// Serializes the address as its text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
