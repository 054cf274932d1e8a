// SPDX-License-Identifier: GPL-2.0

//! What stands behind the options in a help: paragraphs and examples.

use super::roff::{escape, WIDTH};
use clap::Command;

/// The paragraphs of the help, and the lines of its examples.
pub(super) fn help(command: &Command) -> (Vec<String>, Vec<String>) {
    let text = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let (mut prose, mut examples) = (Vec::new(), Vec::new());
    for block in text.split("\n\n") {
        match block.strip_prefix("Examples:\n") {
            Some(lines) => {
                for line in lines.lines() {
                    let line = line.strip_prefix("  ").unwrap_or(line);
                    // What it does stands behind it, or below if the line gets too long.
                    match line.split_once("   ") {
                        Some((command, what)) if escape(line).len() > WIDTH => {
                            examples.push(command.trim_end().to_owned());
                            examples.push(format!("    {}", what.trim()));
                        }
                        _ => continued(&mut examples, line),
                    }
                }
            }
            None if block.trim().is_empty() => {}
            None => prose.push(block.split_whitespace().collect::<Vec<_>>().join(" ")),
        }
    }
    (prose, examples)
}

/// A command of an example, on several lines if it is too long for one.
fn continued(examples: &mut Vec<String>, line: &str) {
    let mut line = line.to_owned();
    while escape(&line).len() > 80 {
        let fits = |at: &usize| {
            line.get(..*at)
                .is_some_and(|start| escape(start).len() < 76)
        };
        let blanks = line.match_indices(' ').map(|(at, _)| at);
        let Some(at) = blanks.filter(fits).last().filter(|at| *at > 4) else {
            break;
        };
        let rest = line.split_off(at);
        examples.push(format!("{line} \\"));
        line = format!("    {}", rest.trim_start());
    }
    examples.push(line);
}
