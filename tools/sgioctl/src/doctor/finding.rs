// SPDX-License-Identifier: GPL-2.0

//! What a check tells.

use super::process::Process;
use crate::device::{Device, Hctl};
use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Good to know, and perhaps meant so.
    Note,
    /// The filter does not do what it seems to do.
    Problem,
}

/// What a check found.
#[derive(Clone, Serialize, Debug)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Which check: a word for programs.
    pub check: &'static str,
    /// What was found.
    pub text: String,
    /// What to do.
    pub advice: Option<String>,
    /// The devices that it is about, for programs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<OfDevice>,
    /// The processes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<OfProcess>,
    /// The nodes and files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// A device that a finding is about.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct OfDevice {
    /// Its address.
    pub device: Hctl,
    /// Its name.
    pub name: String,
}

/// A process that a finding is about.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct OfProcess {
    /// Its id.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
    /// Its name.
    pub name: String,
}

impl Finding {
    pub(super) fn ok(check: &'static str, text: impl Into<String>) -> Finding {
        Finding {
            level: Level::Ok,
            check,
            text: text.into(),
            advice: None,
            devices: Vec::new(),
            processes: Vec::new(),
            paths: Vec::new(),
        }
    }

    pub(super) fn note(
        check: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding {
            level: Level::Note,
            advice: Some(advice.into()),
            ..Finding::ok(check, text)
        }
    }

    pub(super) fn problem(
        check: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding {
            level: Level::Problem,
            ..Finding::note(check, text, advice)
        }
    }

    /// It is about these devices.
    pub(super) fn of_devices<'a>(
        mut self,
        devices: impl IntoIterator<Item = &'a Device>,
    ) -> Finding {
        let of = |device: &Device| OfDevice {
            device: device.hctl,
            name: device.name(),
        };
        self.devices = devices.into_iter().map(of).collect();
        self
    }

    /// It is about these processes.
    pub(super) fn of_processes<'a>(
        mut self,
        processes: impl IntoIterator<Item = &'a Process>,
    ) -> Finding {
        let of = |process: &Process| OfProcess {
            pid: process.pid,
            uid: process.uid,
            name: process.name.clone(),
        };
        self.processes = processes.into_iter().map(of).collect();
        self
    }

    /// It is about these nodes or files.
    pub(super) fn of_paths(self, paths: Vec<String>) -> Finding {
        Finding { paths, ..self }
    }
}
