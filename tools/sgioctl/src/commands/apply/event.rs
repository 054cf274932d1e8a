// SPDX-License-Identifier: GPL-2.0

//! `sgioctl apply --event`: what udev calls.

use super::{
    grants::Granting,
    in_force::put_in_force,
    kernel_log::{kernel_log, log},
    prepared::{add, add_grants, block, filter_sg, later, look, notices, of_misfit, Prepared},
    wait::wait_until_known,
};
use crate::{
    applied::{self, Applied, Classes, Next},
    context::Context,
    device::{self, Device},
    holders::Finder,
    output,
    policyfile::{load, transaction, Policies},
    root::Root,
    running,
};
use anyhow::{bail, Result};
use std::{path::PathBuf, process::ExitCode};

pub(super) fn run(
    context: &Context,
    paths: &[PathBuf],
    only: Option<&str>,
    dry_run: bool,
) -> Result<ExitCode> {
    let done = event(&context.root, paths, only, dry_run);
    if let Err(error) = &done {
        let text = format!("{error:#}");
        let what = only.unwrap_or("all devices");
        if applied::is_news(&context.root, &text) {
            // The error itself goes to standard error, as of each command.
            let text = format!("{what}: no policy was put in force: {text}");
            kernel_log(&context.root, &text);
        }
    }
    done.map(|()| ExitCode::SUCCESS)
}

fn event(root: &Root, paths: &[PathBuf], only: Option<&str>, dry_run: bool) -> Result<()> {
    if let Some(hctl) = only.and_then(|name| name.parse().ok()) {
        wait_until_known(root, hctl)?;
    }
    if let Some(name) = only {
        if is_done(root, name)? {
            return Ok(());
        }
    }
    // What is read from here on must not change before it is in force: files, devices, records.
    let _lock = (!dry_run).then(|| applied::lock(root));
    let policies = load(root, paths)?;
    for warning in &policies.warnings {
        let text = warning.to_string();
        if applied::is_news(root, &text) {
            log(root, &text);
        }
    }
    let prepare = || prepare(root, &policies, only);
    if dry_run {
        return output::print(&prepare()?.transaction);
    }
    let prepared = put_in_force(root, prepare)?;
    let misfits = prepared.misfits.iter().map(of_misfit);
    for text in prepared.notices.iter().cloned().chain(misfits) {
        if applied::is_news(root, &text) {
            log(root, &text);
        }
    }
    for hctl in &prepared.left {
        log(
            root,
            &format!(
                "{hctl} keeps what was set by hand; 'sgioctl apply --device {hctl}' puts the policy in \
                 force"
            ),
        );
    }
    Ok(())
}

/// Tells whether no file can change anything on what is called so: most events of a device that has its
/// policy end here.
fn is_done(root: &Root, name: &str) -> Result<bool> {
    let devices = device::find_by_kernel_name(root, name, false)?.unwrap_or_default();
    let done = |device: &Device| {
        let record = Applied::read(root, device.hctl);
        (device.id.zip(record)).is_some_and(|(id, record)| record.is_final(id))
    };
    Ok(!devices.is_empty() && devices.iter().all(done))
}

/// As of the command itself, for the devices that an event may set.
fn prepare(root: &Root, policies: &Policies, only: Option<&str>) -> Result<Prepared> {
    let (devices, maps) = look(root, policies, only, true)?;
    let present = Finder::new(root).present(policies)?;
    let mut prepared = Prepared::default();
    if only.is_none() {
        classes(root, policies, &mut prepared)?;
    }
    let files = policies.digest();
    let chosen: Vec<_> = devices.iter().collect();
    let (resolved, misfits) = policies.resolve_apart(&chosen, &maps)?;
    prepared.misfits = misfits;
    prepared.notices = notices(policies, &devices);
    for state in resolved {
        let hctl = state.device.hctl;
        if state.device.unknown.contains(&"id") {
            bail!("{hctl}: its id could not be read");
        }
        let Some(id) = state.device.id else { continue };
        let Some(running) = running::device(root, hctl)? else {
            continue;
        };
        if running.id != id {
            // Its own event is still to come.
            continue;
        }
        let on = Granting {
            root,
            policies,
            present: &present,
            maps: &maps,
        };
        let grants = on.by_event(state.device, id)?;
        let record = Applied::read(root, hctl);
        if loses_its_block(policies, record.as_ref(), id, state.block) {
            // A link went to another device, a map went or has another name: nothing is undone by an event.
            add_grants(&mut prepared, grants, hctl, id);
            continue;
        }
        let block = block(policies, &state);
        let now = applied::state(&running);
        match Applied::next(record.as_ref(), id, &files, block.as_deref(), &now) {
            Next::Nothing => {}
            Next::Apply => {
                add(&mut prepared, policies, &state, id);
                prepared.seen.push((hctl, now));
            }
            Next::Leave => {
                prepared.left.push(hctl);
                let record = Applied {
                    id,
                    files: files.clone(),
                    block,
                    state: None,
                    later: later(policies),
                };
                prepared.records.push((hctl, record));
            }
        }
        add_grants(&mut prepared, grants, hctl, id);
    }
    Ok(prepared)
}

/// Tells whether the block that was applied to a device object would no longer decide, and none before it does.
fn loses_its_block(
    policies: &Policies,
    record: Option<&Applied>,
    id: u64,
    now: Option<usize>,
) -> bool {
    let Some(applied) = record
        .filter(|record| record.id == id)
        .and_then(|record| record.block.as_deref())
    else {
        return false;
    };
    let mut blocks = policies.blocks.iter();
    match (
        blocks.position(|block| block.place.to_string() == applied),
        now,
    ) {
        (Some(before), Some(now)) => now > before,
        // Files that were edited are no matter of an event either.
        (None, _) | (_, None) => true,
    }
}

/// The tables of those classes that have the table that the module was loaded with.
fn classes(root: &Root, policies: &Policies, prepared: &mut Prepared) -> Result<()> {
    let Some(now) = Classes::now(root) else {
        bail!("the module sgio_filter is not loaded");
    };
    if now.is_recorded(root) {
        return Ok(());
    }
    // An event may narrow, and never widens.
    prepared.filter_sg = filter_sg(root, policies)?.filter(|on| *on);
    let loaded = match running::is_strict(root)? {
        true => "strict",
        false => "stock",
    };
    for block in &policies.classes {
        let class = block.class;
        let table = running::class(root, class)?.map(|running| running.table);
        if table.as_deref() == Some(loaded) {
            prepared.transaction += &transaction::class(policies, class);
        } else {
            let name = class.name();
            log(
                root,
                &format!("class {name} keeps the rules that were set by hand"),
            );
        }
    }
    prepared.classes = Some(now);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, fs, path::Path};

    /// A tree with one device and a policy for it.
    fn tree(name: &str) -> Root {
        let path = std::env::temp_dir().join(format!("sgioctl-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let root = Root::new(&path);
        for (file, text) in [
            ("type", "0"),
            ("sgio_filter/id", "7"),
            ("sgio_filter/unpriv_sgio", "0"),
            ("sgio_filter/complain", "0"),
            ("sgio_filter/report_luns", "passthrough"),
            ("sgio_filter/pr_exclusive", "0"),
            ("sgio_filter/filter_sg", "0"),
            ("sgio_filter/rules", ""),
            ("sgio_filter/stats", "refused 0"),
        ] {
            write(
                &root,
                &format!("/sys/bus/scsi/devices/6:0:0:0/{file}"),
                text,
            );
        }
        let policy = "[[device]]\nmatch = { hctl = \"6:0:0:0\" }\nallow = [\"w 89\"]\n";
        write(&root, "/etc/sgio-filter/policy.d/10.toml", policy);
        write(&root, "/dev/kmsg", "");
        root
    }

    fn write(root: &Root, path: &str, text: &str) {
        let path = root.path(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    /// An event widens nothing, as a link or a map that went would: only a block in front of the one that was applied
    /// may take its place.
    #[test]
    fn a_block_that_went_is_not_replaced_by_a_later_one() {
        let root = tree("lost");
        let more = "[[device]]\nmatch = { by_id = \"ata-*\" }\n".repeat(3);
        write(&root, "/etc/sgio-filter/policy.d/20.toml", &more);
        let policies = load(&root, &[]).unwrap();
        let places: Vec<String> = policies
            .blocks
            .iter()
            .map(|block| block.place.to_string())
            .collect();
        let record = |block: Option<&str>| Applied {
            block: block.map(str::to_owned),
            ..Applied::by_hand(7)
        };
        for (applied, now, lost) in [
            (Some(1), Some(0), false),
            (Some(1), Some(1), false),
            (Some(1), Some(2), true),
            (Some(3), Some(2), false),
            (Some(1), None, true),
            (None, Some(2), false),
            (None, None, false),
        ] {
            let applied: Option<&str> = applied.map(|number: usize| places[number].as_str());
            let record = record(applied);
            let found = loses_its_block(&policies, Some(&record), 7, now);
            assert_eq!(found, lost, "{applied:?} {now:?}");
            // A record of another device object says nothing.
            assert!(!loses_its_block(&policies, Some(&record), 8, now));
            assert!(!loses_its_block(&policies, None, 7, now));
        }
        // The block is in no file any more.
        let edited = record(Some("30.toml:1:1"));
        assert!(loses_its_block(&policies, Some(&edited), 7, Some(0)));
        fs::remove_dir_all(root.path("/")).unwrap();
    }

    /// A device that is changed at each look is left alone, also by the last of the tries.
    #[test]
    fn what_changes_all_the_time_is_never_written_over() {
        let root = tree("storm");
        let policies = load(&root, &[]).unwrap();
        let looks = Cell::new(0);
        let done = put_in_force(&root, || {
            let mut prepared = prepare(&root, &policies, Some("6:0:0:0"))?;
            looks.set(looks.get() + 1);
            // What was seen is never what is there.
            prepared.seen = vec![("6:0:0:0".parse()?, format!("{}", looks.get()))];
            Ok(prepared)
        });
        let error = done
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.contains("again and again"), "{error}");
        assert_eq!(looks.get(), 10);
        assert!(!root.path("/dev/sgio_filter").exists());
        fs::remove_dir_all(root.path("/")).unwrap();
    }

    #[test]
    fn what_is_set_while_an_event_looks_is_left_alone() {
        let root = tree("race");
        let policies = load(&root, &[]).unwrap();
        let looks = Cell::new(0);
        let prepared = put_in_force(&root, || {
            let prepared = prepare(&root, &policies, Some("6:0:0:0"))?;
            looks.set(looks.get() + 1);
            if looks.get() == 1 {
                assert!(prepared.transaction.contains("allow w 89"));
                write(
                    &root,
                    "/sys/bus/scsi/devices/6:0:0:0/sgio_filter/rules",
                    "deny 89",
                );
            }
            Ok(prepared)
        });
        let prepared = prepared.unwrap();
        assert_eq!((looks.get(), prepared.left.len()), (2, 1));
        assert!(!root.path("/dev/sgio_filter").exists());
        let record = Applied::read(&root, "6:0:0:0".parse().unwrap()).unwrap();
        assert!(record.is_final(7) && record.state.is_none());
        fs::remove_dir_all(root.path("/")).unwrap();
    }
}
