// SPDX-License-Identifier: GPL-2.0

//! The words of a command line, in groups.

use super::{
    announced::{announced, one_announced},
    digits::{byte_digits, without_h},
    mistake::mistake,
};
use anyhow::{bail, Result};

/// The words of a command line, in groups that belong together: bytes that stand alone are one CDB, and the
/// fields of a rule belong to the opcode before them. So it does not matter what is quoted.
///
/// # Errors
///
/// Words that can be grouped in two ways.
pub fn items(words: &[String]) -> Result<Vec<String>> {
    let all = words.join(" ");
    if words.len() > 1 && announced(&all).is_some() && !are_commands(words) {
        one_announced(&all)?;
        return Ok(vec![all]);
    }
    words.iter().try_for_each(|word| one_announced(word))?;
    if let (None, Some(wrong)) = (announced(&all), mistake(&all)) {
        bail!("{wrong}");
    }
    if let Some(plain) = without_h(&all) {
        bail!("'{all}': bytes are written without h: {plain}");
    }
    let mut items: Vec<String> = Vec::new();
    let mut rest = words;
    while let [first, tail @ ..] = rest {
        if is_field(first) && !items.is_empty() {
            if let Some(last) = items.last_mut() {
                *last += &format!(" {first}");
            }
            rest = tail;
            continue;
        }
        let run = rest.iter().take_while(|word| is_lone_byte(word)).count();
        let (run, behind) = rest.split_at(run);
        let joined = match run {
            [] => first.clone(),
            run => run.join(" "),
        };
        let (joined, next) = match run {
            [] => (joined, tail),
            _ => (joined, behind),
        };
        // '5f00 05' is one CDB, or two.
        let touches = |item: Option<&String>| item.is_some_and(|item| is_long(item));
        if !run.is_empty() && (touches(items.last()) || touches(next.first())) {
            let before = items.last().filter(|item| is_long(item));
            let after = next.first().filter(|item| is_long(item));
            let parts: Vec<&str> = [before, Some(&joined), after]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            bail!(
                "'{}' can be read as one CDB or as {}: write each CDB without blanks, or in quotes",
                parts.join(" "),
                parts.len()
            );
        }
        items.push(joined);
        rest = next;
    }
    Ok(items)
}

/// Tells whether one argument has all of a CDB with the word that announces it, and each other one may be a command: `unmap
/// cdb:4803`. In a line that a program printed, not all words are.
fn are_commands(words: &[String]) -> bool {
    let (labelled, others): (Vec<_>, Vec<_>) =
        words.iter().partition(|word| announced(word).is_some());
    let whole = |word: &String| {
        announced(word).is_some_and(|found| found.is_ok_and(|cdbs| !cdbs.is_empty()))
    };
    let name = |word: &&String| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && byte_digits(word).is_none()
    };
    matches!(labelled.as_slice(), [word] if whole(word))
        && !others.is_empty()
        && others.iter().all(name)
}

/// An argument that is one byte of a CDB, maybe the first or the last in brackets.
fn is_lone_byte(word: &str) -> bool {
    let word = word.strip_prefix(['[', '{']).unwrap_or(word);
    let word = word.strip_suffix([']', '}', ',']).unwrap_or(word);
    byte_digits(word).is_some_and(|bytes| bytes.len() == 1)
}

/// An argument that is several bytes without anything between them.
fn is_long(word: &str) -> bool {
    byte_digits(word).is_some_and(|bytes| bytes.len() > 1)
}

/// The field of a rule: `[1]&1f=00`.
fn is_field(word: &str) -> bool {
    let inner = word.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    inner.is_some_and(|(number, rest)| {
        !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
            && rest.starts_with(['=', '&'])
    })
}
