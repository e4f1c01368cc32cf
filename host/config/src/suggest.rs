//! Finds the known word nearest to a written one.

use std::borrow::Cow;

/// No known word is as long, in bytes.
const LONGEST: usize = 64;

/// The word of `known` most likely meant by `word`: equal without case and separators, a prefix, or a few letters
/// away. `None` if nothing is near, and for a word longer than any known one: comparing takes the product of both
/// lengths.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let plain = |text: &str| -> String {
        text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
    };
    let word = plain(word);
    // With two letters, a change of one makes another word, not a slip.
    let length = word.chars().count();
    let allowed = if length < 3 { 0 } else { (length / 3).max(1) };
    known
        .into_iter()
        .map(|candidate| {
            let plain = plain(candidate);
            let begun = length >= 3 && plain.starts_with(&word);
            let distance = strsim::damerau_levenshtein(&word, &plain);
            (if begun { distance.min(1) } else { distance }, candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `` `a`, `b`, `c` ``
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// A word of a file, cut to the length of a message.
pub(super) fn shortened(word: &str) -> Cow<'_, str> {
    match word.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", word.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_another_case_and_another_separator_find_the_word() {
        let known = ["corp_id", "secret", "proxy"];
        for word in ["corpId", "corp-id", "CORP_ID", "crop_id", "corpid"] {
            assert_eq!(nearest(word, known), Some("corp_id"), "{word}");
        }
    }

    #[test]
    fn a_word_cut_short_finds_the_whole() {
        assert_eq!(nearest("mem", ["memory", "deadline"]), Some("memory"));
    }

    #[test]
    fn a_word_unlike_all_others_finds_none() {
        assert_eq!(nearest("agent", ["corp_id", "secret", "proxy"]), None);
        assert_eq!(nearest("v3", ["v1", "v2"]), None);
    }
}
