// SPDX-License-Identifier: GPL-2.0

//! What is in force on a class.

use super::files::rules;
use crate::root::Root;
use anyhow::Result;
use serde::Serialize;
use sgio_policy::policy::Class;

const CLASSES: &str = "/sys/kernel/sgio_filter/classes";

/// What is in force on a class.
#[derive(Clone, Serialize, Debug)]
pub struct ClassRunning {
    /// `strict`, `stock` or `custom`.
    pub table: String,
    /// Its rules, one a line.
    pub rules: String,
}

/// What is in force on a class; `None` without the module.
///
/// # Errors
///
/// Files that cannot be read.
pub fn class(root: &Root, class: Class) -> Result<Option<ClassRunning>> {
    let directory = format!("{CLASSES}/{}", class.name());
    let Some(files) = root.directory(&directory) else {
        return Ok(None);
    };
    let Some(table) = files.read("table")? else {
        return Ok(None);
    };
    Ok(Some(ClassRunning {
        table: table.trim().to_owned(),
        rules: rules(&files, &directory)?,
    }))
}
