// SPDX-License-Identifier: GPL-2.0

//! The command line. Every command brings its own arguments.

use crate::{
    commands,
    context::Context,
    output::{self, Output},
    policyfile::Faults,
    root::Root,
};
use clap::{builder::Styles, CommandFactory as _, Parser, Subcommand};
use std::{
    path::PathBuf,
    process::{self, ExitCode},
};

/// Set, check, keep and explain which SCSI commands unprivileged processes may send.
#[derive(Parser, Debug)]
#[command(name = "sgioctl", version, arg_required_else_help = true)]
pub struct Cli {
    /// Print JSON (schema "sgioctl/1") instead of text.
    #[arg(long, global = true)]
    pub json: bool,

    /// The directory that /sys, /dev, /etc and /usr are in.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = "/",
        hide = true
    )]
    pub root: PathBuf,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The command line of this process. The process ends if it asks for help, or cannot be understood.
    pub fn of_process() -> Cli {
        Cli::try_parse().unwrap_or_else(|error| {
            if !error.use_stderr() {
                error.exit();
            }
            // Without colours, which could not be told from what an argument brings.
            let plain = Cli::command().styles(Styles::plain()).try_get_matches();
            let error = plain.err().unwrap_or(error);
            output::usage(&error.render().ansi().to_string());
            process::exit(error.exit_code())
        })
    }
}

/// Says why it could not be done: what is wrong with policy files on a line each, all else on one, whatever names are in
/// it.
pub fn tell(error: &anyhow::Error) {
    let text = format!("{error:#}");
    match error.downcast_ref::<Faults>() {
        Some(_) => output::notes(&text),
        None => output::note(&text),
    }
}

macro_rules! commands {
    ($($(#[$doc:meta])* $variant:ident($module:ident),)*) => {
        /// What to do.
        #[derive(Subcommand, Debug)]
        pub enum Command {
            $($(#[$doc])* $variant(commands::$module::Args),)*
        }

        impl Cli {
            /// Does it.
            ///
            /// # Errors
            ///
            /// What could not be done; exit status 2.
            pub fn run(self) -> anyhow::Result<ExitCode> {
                let context = Context {
                    root: Root::new(&self.root),
                    output: Output::new(self.json),
                    command_line: Cli::command,
                };
                match self.command {
                    $(Command::$variant(args) => commands::$module::run(&context, args),)*
                }
            }
        }
    };
}

commands! {
    /// List the SCSI devices and what is in force on them.
    List(list),
    /// Show everything about one device, or its policy.
    Show(show),
    /// Ask whether a command would be allowed, and why.
    Check(check),
    /// Decode a CDB.
    Explain(explain),
    /// Set a switch of a device.
    Set(set),
    /// Allow commands on a device.
    Allow(allow),
    /// Refuse commands on a device.
    Deny(deny),
    /// Give a device the defaults of its class.
    Reset(reset),
    /// Allow commands to one cgroup: a virtual machine, a service.
    Grant(grant),
    /// List the grants.
    Grants(grants),
    /// Take grants on a device back.
    Revoke(revoke),
    /// Run a program that holds grants, in a cgroup of its own.
    Run(run),
    /// Let a device's refusals through, and only report them.
    Complain(complain),
    /// Put a policy file, or all of a directory, in force.
    Apply(apply),
    /// Show which verdicts a policy file would change.
    Diff(diff),
    /// Check a policy file without touching anything.
    Lint(lint),
    /// List the profiles, or show one.
    Profiles(profiles),
    /// Print decisions as they are made.
    Monitor(monitor),
    /// Propose rules from recorded refusals.
    Learn(learn),
    /// Look for what makes the filter less than it seems.
    Doctor(doctor),
    /// Ask the kernel's permission check, as nobody.
    #[command(hide = true)]
    DoctorProbe(doctor_probe),
    /// List what the completions of shells propose.
    #[command(hide = true)]
    Complete(complete),
    /// Generate man pages and completions.
    #[command(hide = true)]
    Generate(generate),
}
