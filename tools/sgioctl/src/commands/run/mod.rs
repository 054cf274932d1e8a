// SPDX-License-Identifier: GPL-2.0

//! `sgioctl run`: a program in a cgroup of its own, which holds grants.
//!
//! All but the cgroup made by hand is a chain of `exec`: systemd-run puts the process into a scope, unshare gives it mounts of
//! its own, this program grants and opens the nodes there, setpriv changes the user. So signals, the terminal and the exit
//! status are the program's own, and nothing is left to be taken back: the grants end with the scope.

mod by_hand;
mod nodes;
mod wanted;

use self::wanted::Wanted;
use super::grant::section;
use crate::{
    change::Plan,
    context::Context,
    holder::{self, Holder},
    output, running, time,
};
use anyhow::{anyhow, ensure, Context as _, Result};
use std::{
    env,
    ffi::OsString,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

// By their places: what is first in PATH does not decide who may send.
const SYSTEMD_RUN: &str = "/usr/bin/systemd-run";
const UNSHARE: &str = "/usr/bin/unshare";
const SETPRIV: &str = "/usr/bin/setpriv";
const ID: &str = "/usr/bin/id";

/// Its arguments.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
The program gets a cgroup of its own: a transient scope where systemd runs, otherwise one below that of sgioctl. It and all that it
starts hold the grants, and nobody else. They end when the last of them has ended. The exit status is the program's (127: it
could not be started; after a signal, without systemd, 128 and its number).

With --user, the nodes of the devices (disk, sg, bsg, tape, map) belong to the user, for these processes alone: for reading, and for
writing too if something is granted that needs it. In such a file all of the device's data can be read, and written. The node
that others see stays as it is.

WHAT is a profile, or commands by name or opcode, with commas between them.

Examples:
  sgioctl run --grant sdb=smart-ro --user nobody -- smartctl -a /dev/sdb
  sgioctl run --grant mpatha=disk-guest-reservations --for 1h --user backup -- /usr/local/bin/backup
  sgioctl run --grant sdb=5e,5f --grant sg3=tape-changer --user nobody -- sh")]
pub struct Args {
    /// What the program may send to which device. May be given several times.
    #[arg(long = "grant", value_name = "DEV=WHAT", required = true)]
    grants: Vec<String>,

    /// The user that the program runs as; without it, that of sgioctl.
    #[arg(long, value_name = "USER")]
    user: Option<String>,

    /// The grants end after this time, if the program is still there: 90s, 10m, 2h, 1d.
    #[arg(long = "for", value_name = "TIME", value_parser = time::duration)]
    time: Option<u64>,

    /// Only say what would be granted.
    #[arg(long)]
    dry_run: bool,

    /// The process is where it is to be: what is left is to grant, and to start the program.
    #[arg(long, value_name = "CGROUP", num_args = 0..=1, hide = true)]
    inside: Option<Option<PathBuf>>,

    /// The program and its arguments.
    #[arg(
        value_name = "PROGRAM",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    program: Vec<OsString>,
}

/// Does it.
///
/// # Errors
///
/// What could not be done; then the program was not started.
pub fn run(context: &Context, args: Args) -> Result<ExitCode> {
    ensure!(
        args.dry_run || context.root.is_live(),
        "a program runs on the running system"
    );
    let wanted = Wanted::all(context, &args.grants)?;
    let user = args.user.as_deref().map(User::named).transpose()?;
    if let Some(place) = &args.inside {
        return inside(context, &args, place.as_deref(), &wanted, user.as_ref());
    }
    if args.dry_run {
        return said(context, &wanted, args.time);
    }
    if user.as_ref().is_none_or(|user| user.uid == 0) && rustix::process::geteuid().is_root() {
        output::note("note: the program runs as root, whose capability CAP_SYS_RAWIO needs no grant; --user names another");
    }
    let systemd = Path::new("/run/systemd/system").is_dir();
    let place = match systemd {
        true => None,
        false => Some(by_hand::Place::new(&context.root)?),
    };
    let mut line: Vec<OsString> = Vec::new();
    if systemd {
        line.extend([SYSTEMD_RUN, "--scope", "--quiet", "--collect"].map(Into::into));
        let program = args.program.first().context("no program")?;
        line.push(format!("--description=sgioctl run {}", program.to_string_lossy()).into());
        line.push("--".into());
    }
    if user.is_some() {
        // What is mounted later elsewhere is seen here too, and nothing of here elsewhere.
        line.extend([UNSHARE, "--mount", "--propagation=slave", "--"].map(Into::into));
    }
    line.push(env::current_exe().context("where is sgioctl?")?.into());
    line.push("run".into());
    for grant in &args.grants {
        line.extend(["--grant".into(), grant.into()]);
    }
    if let Some(user) = &args.user {
        line.extend(["--user".into(), user.into()]);
    }
    if let Some(seconds) = args.time {
        line.extend(["--for".into(), format!("{seconds}s").into()]);
    }
    match &place {
        None => line.push("--inside".into()),
        Some(place) => line.push(format!("--inside={}", place.path()).into()),
    }
    line.push("--".into());
    line.extend(args.program);
    match place {
        None => Err(start(&line)),
        Some(place) => place.run(&line),
    }
}

/// A user, as the system's databases know it.
struct User {
    uid: u32,
    gid: u32,
}

impl User {
    fn named(name: &str) -> Result<User> {
        let number = |option: &str| -> Result<u32> {
            let output = Command::new(ID)
                .args([option, "--", name])
                .output()
                .with_context(|| format!("--user asks {ID}"))?;
            ensure!(output.status.success(), "there is no user {name}");
            let text = String::from_utf8_lossy(&output.stdout);
            text.trim()
                .parse()
                .map_err(|_| anyhow!("there is no user {name}"))
        };
        Ok(User {
            uid: number("--user")?,
            gid: number("--group")?,
        })
    }
}

/// The last steps, in the cgroup and with the mounts that the program will have.
fn inside(
    context: &Context,
    args: &Args,
    place: Option<&Path>,
    wanted: &[Wanted],
    user: Option<&User>,
) -> Result<ExitCode> {
    let holder = match place {
        Some(path) => by_hand::enter(&context.root, path)?,
        None => holder::of_this_process(&context.root)?,
    };
    grant(context, &holder, wanted, args.time)?;
    if let Some(user) = user {
        nodes::open_to(&context.root, wanted, user.uid, user.gid)?;
        // Nodes have names, which another device may have got since: the grant is for the one that was looked at.
        for (target, _) in wanted.iter().flat_map(|wanted| &wanted.rules) {
            let now = running::device(&context.root, target.device.hctl)?;
            ensure!(
                now.is_some_and(|now| now.id == target.running.id),
                "{}: another device came to this address while it was looked at: try again",
                target.device.full_name()
            );
        }
    }
    let mut line: Vec<OsString> = Vec::new();
    if let Some(user) = user {
        line.push(SETPRIV.into());
        line.push(format!("--reuid={}", user.uid).into());
        line.push(format!("--regid={}", user.gid).into());
        line.extend(
            [
                "--init-groups",
                "--inh-caps=-all",
                "--ambient-caps=-all",
                "--",
            ]
            .map(Into::into),
        );
    }
    line.extend(args.program.iter().cloned());
    // As a shell and setpriv say it.
    output::note(&format!("{:#}", start(&line)));
    Ok(ExitCode::from(127))
}

/// Becomes that program.
fn start(line: &[OsString]) -> anyhow::Error {
    let Some((program, arguments)) = line.split_first() else {
        return anyhow!("no program");
    };
    let error = Command::new(program).args(arguments).exec();
    anyhow::Error::new(error).context(format!("{} was not started", program.to_string_lossy()))
}

fn plan(
    context: &Context,
    holder: Option<&Holder>,
    wanted: &[Wanted],
    time: Option<u64>,
) -> Result<Plan> {
    let mut plan = Plan::new(context, holder.is_none()).taken_back_in(time);
    for wanted in wanted {
        for (target, rules) in &wanted.rules {
            let list: Vec<_> = rules.iter().map(|rule| (*rule, time)).collect();
            let words = rules.iter().map(|rule| format!("+ {rule}")).collect();
            let nobody = Holder {
                id: 0,
                path: String::new(),
            };
            let holder = holder.unwrap_or(&nobody);
            plan.add(target, words, &section(holder, NAME, &list));
        }
    }
    Ok(plan)
}

/// The name of the grants.
const NAME: &str = "run";

fn grant(context: &Context, holder: &Holder, wanted: &[Wanted], time: Option<u64>) -> Result<()> {
    plan(context, Some(holder), wanted, time)?.put_in_force(context)
}

fn said(context: &Context, wanted: &[Wanted], time: Option<u64>) -> Result<ExitCode> {
    plan(context, None, wanted, time)?.carry_out(context, "run")
}
