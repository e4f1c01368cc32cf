//! Spellings that are one text, and spellings that are not.

use proptest::prelude::*;

use super::super::{identifier, line};
use super::*;

#[track_caller]
fn one(writings: &[&str]) {
    for writing in writings {
        assert_eq!(fold(writing), fold(writings[0]), "{writing:?} and {:?}", writings[0]);
    }
}

#[test]
fn a_text_that_is_folded_is_not_copied() {
    for text in ["质检部", "li-ming", "a/b(1)", ""] {
        assert!(matches!(fold(text), Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn writings_of_one_text() {
    one(&[
        "生产部(一车间)",
        "生产部（一车间）",
        "生产部 ( 一车间 )",
        "生产部【一车间】",
        "生产部〔一车间〕",
        "生产部﹙一车间﹚",
        "生产部︵一车间︶",
    ]);
    one(&[
        "非标车间",
        "⾮标⻋间",
        "⾮标车间\u{fe00}",
        "\u{feff}非标车间",
        "非\u{200b}标车\u{2060}间",
        "非标车间\n",
    ]);
    one(&["财务部", "财务 部", "财务\u{3000}部", "财务\u{a0}部", " 财务部\t"]);
    one(&[
        "冲压车间/夜班",
        "冲压车间／夜班",
        "冲压车间 / 夜班",
        "冲压车间∕夜班",
        "冲压车间⁄夜班",
        "冲压车间\\夜班",
    ]);
    one(&[
        "阿卜杜拉.买买提",
        "阿卜杜拉·买买提",
        "阿卜杜拉•买买提",
        "阿卜杜拉・买买提",
        "阿卜杜拉‧买买提",
        "阿卜杜拉∙买买提",
        "阿卜杜拉⋅买买提",
        "阿卜杜拉。买买提",
        "阿卜杜拉．买买提",
        "阿卜杜拉･买买提",
        "阿卜杜拉｡买买提",
    ]);
    one(&[
        "华东-一部",
        "华东－一部",
        "华东–一部",
        "华东—一部",
        "华东——一部",
        "华东−一部",
        "华东‑一部",
        "华东 - 一部",
    ]);
    one(&["\"精益\"组", "“精益”组", "「精益」组", "＂精益＂组", "″精益″组", "''精益''组"]);
    one(&["o'brien", "O’Brien", "O´Brien", "O`Brien", "Ｏ＇Ｂｒｉｅｎ"]);
    one(&["IT部", "it部", "ＩＴ部", "It 部"]);
    one(&["Li Ming", "li  ming", "LI\u{a0}MING", " Li\u{3000}Ming "]);
    one(&["istanbul", "İstanbul", "ISTANBUL", "ıstanbul", "i\u{307}stanbul", "I\u{307}STANBUL"]);
    one(&["ÉCOLE", "école", "e\u{301}cole", "E\u{301}COLE"]);
    one(&["Straße", "STRAẞE"]);
    one(&["Οδυσσεύς", "ΟΔΥΣΣΕΎΣ"]);
    one(&["Цех", "ЦЕХ"]);
    one(&["1号线", "１号线", "①号线"]);
    one(&["生产、技术", "生产,技术", "生产，技术"]);
    one(&["8~17", "8～17", "8〜17"]);
    one(&["龙", "⻰", "龙"]);
    one(&["羽毛", "羽⽑"]);
    one(&["更", "\u{f901}"]);
}

#[test]
fn texts_that_are_not_one() {
    for (one, other) in [
        ("一车间", "二车间"),
        ("1 1车间", "11车间"),
        ("Li Ming", "Liming"),
        ("一", "-"),
        ("土", "士"),
        ("a.b", "ab"),
        ("生产部(一)", "生产部一"),
        ("e", "é"),
        ("质检部", "質檢部"),
        ("", "-"),
    ] {
        assert_ne!(fold(one), fold(other), "{one} {other}");
    }
}

#[test]
fn every_radical_of_the_supplement_is_a_character() {
    assert_eq!(RADICALS.chars().count(), 0x2ef3 - 0x2e81 + 1);
    let kept: Vec<char> =
        ('\u{2e80}'..='\u{2eff}').filter(|c| fold(&c.to_string()) == c.to_string()).collect();
    // Two have no character; those from U+2EF4 on are not assigned.
    assert_eq!(kept.iter().filter(|c| **c < '\u{2ef4}').collect::<String>(), "⺀⺚");
    for c in '\u{2f00}'..='\u{2fd5}' {
        assert!(('\u{4e00}'..='\u{9fff}').contains(&fold(&c.to_string()).chars().next().unwrap()), "{c}");
    }
    for (radical, character) in
        [('⺁', '厂'), ('⺗', '心'), ('⻋', '车'), ('⻅', '见'), ('⻔', '门'), ('⻢', '马'), ('⻳', '龟')]
    {
        assert_eq!(fold(&radical.to_string()), character.to_string());
    }
}

#[test]
fn letters_have_the_lower_case_of_the_standard_library() {
    for c in ('\u{c0}'..='\u{24f}').chain('\u{370}'..='\u{52f}').chain('\u{1e00}'..='\u{1eff}') {
        let mut lowered = c.to_lowercase();
        if let (Some(one), None) = (lowered.next(), lowered.next()) {
            assert_eq!(lower(c), one, "{c}");
        }
    }
}

fn written() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>(),
        proptest::char::range('\u{20}', '\u{24f}'),
        proptest::char::range('\u{300}', '\u{52f}'),
        proptest::char::range('\u{2000}', '\u{2fd5}'),
        proptest::char::range('\u{3000}', '\u{30ff}'),
        proptest::char::range('\u{f900}', '\u{faff}'),
        proptest::char::range('\u{fe00}', '\u{ffef}'),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|characters| characters.into_iter().collect())
}

proptest! {
    #[test]
    fn folding_twice_changes_nothing_more(text in written()) {
        let once = fold(&text).into_owned();
        prop_assert_eq!(fold(&once), once.as_str());
    }

    #[test]
    fn cleaning_does_not_change_what_a_text_is_compared_as(text in written()) {
        for cleaned in [identifier(&text), line(&text)] {
            prop_assert_eq!(fold(&cleaned), fold(&text));
        }
    }

    #[test]
    fn the_quick_look_agrees_with_the_work(text in "[a-z0-9.()/\u{4e00}-\u{4e10}-]{0,8}", mark in "[ \u{200b}]") {
        prop_assert!(matches!(fold(&text), Cow::Borrowed(_)));
        let marked = format!("{mark}{text}");
        prop_assert_eq!(fold(&marked), text.as_str());
    }
}
