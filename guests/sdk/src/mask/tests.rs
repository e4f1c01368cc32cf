use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn a_number_in_a_program_s_text_is_masked_in_any_writing_and_an_id_is_not() {
    for (content, masked) in [
        ("手机号13800138000已用", "手机号138******00已用"),
        ("no 138-0013-8000, nor 138 0013 8000", "no 138-****-**00, nor 138 **** **00"),
        ("+8613800138000", "+861********00"),
        ("+86 138-0013-8000", "+86 1**-****-**00"),
        ("008613800138000", "008**********00"),
        ("１３８００１３８０００", "１３８******００"),
        ("＋８６　１３８　００１３　８０００", "＋８６　１**　****　**００"),
        ("138–0013–8000", "138–****–**00"),
        ("+852 9123 4567", "+852 **** **67"),
        ("12 13800138000", "12 138******00"),
        ("2026-05-01 13800138000", "2026-05-01 138******00"),
        ("13800138000 13900139000", "138******00 139******00"),
        ("110101199003071234", "110*************34"),
        ("11010119900307123X", "110************23X"),
        ("１１０１０１１９９００３０７１２３Ｘ", "１１０************２３Ｘ"),
        ("110101 19900307 1234", "110*** ******** **34"),
        ("110101-19900307-123x", "110***-********-*23x"),
        ("130503670401001", "130**********01"),
        ("li.si@example.com。", "l****@example.com。"),
        ("邮箱ｌｉｓｉ＠ｅｘ．ｃｏｍ", "邮箱ｌ***＠ｅｘ．ｃｏｍ"),
        ("KeyError: '13800138000' (rules.py:12)", "KeyError: '138******00' (rules.py:12)"),
        ("应如 name@example.com，请更正", "应如 name@example.com，请更正"),
        ("r20260501T080000123-0a1b2c", "r20260501T080000123-0a1b2c"),
        ("63e0706d0e33350008189952", "63e0706d0e33350008189952"),
        ("id 11010519491231002X of zhang.san@example.com", "id 110************02X of z********@example.com"),
        (
            "field _widget_1681087902876 of row 65000000000000000000000f",
            "field _widget_1681087902876 of row 65000000000000000000000f",
        ),
        ("10000000000 138001380001", "10000000000 138001380001"),
        ("userid 20210001, 1764035120123456", "userid 20210001, 1764035120123456"),
        ("index 12345 out of 2026-05-01", "index 12345 out of 2026-05-01"),
        ("@李四 _-@.", "@李四 _-@."),
        ("", ""),
    ] {
        assert_eq!(text(content, Numbers::OfPeople), masked, "{content}");
    }
}

#[test]
fn every_long_number_in_a_person_s_text_is_masked() {
    for (content, masked) in [
        ("座机 0755-12345678", "座机 075*-******78"),
        ("银行卡 6222021234567890123", "银行卡 622**************23"),
        ("工号 A20210001", "工号 A202***01"),
        ("2026-05-01 08:00:00，部门 12", "2026-05-01 08:00:00，部门 12"),
        ("记录 650000000000000000000029", "记录 650000000000000000000029"),
        ("123456", "123456"),
    ] {
        assert_eq!(text(content, Numbers::Long), masked, "{content}");
    }
}

#[test]
fn a_personal_value_shows_its_ends_at_most() {
    for (personal, masked) in [
        ("13800138000", "138******00"),
        ("+86 138-0013-8000", "+86 1**-****-**00"),
        ("0755-12345678", "075*-******78"),
        ("11010119900307123X", "110************23X"),
        ("li.si@example.com", "l****@example.com"),
        ("a@x.cn; 张三 b@x.cn", "a@x.cn; *** b@x.cn"),
        ("深圳市南山区科技园一号", "深圳市***一号"),
        ("张三 13800138000", "张三 ***00"),
        ("12345", "1***45"),
        ("三号楼", "***"),
        ("", ""),
    ] {
        assert_eq!(value(personal), masked, "{personal}");
    }
}

#[test]
fn a_member_is_masked_by_the_names_of_the_fields() {
    let member = json!({
        "userid": "13800000001",
        "name": "丁13922229999",
        "mobile": "13800138000",
        "email": "li.si@example.com",
        "position": "三班 110101199003077733",
        "department": [1, 2],
        "extattr": {"attrs": []},
        "address": null,
    });
    let masked = json!({
        "userid": "13800000001",
        "name": "丁139******99",
        "mobile": "138******00",
        "email": "l****@example.com",
        "position": "三班 110*************33",
        "department": [1, 2],
        "extattr": "***",
        "address": null,
    });
    assert_eq!(Value::Object(body(member.as_object().unwrap())), masked);
}

#[test]
fn a_text_is_cut_and_nothing_of_a_number_is_left_where_it_is_cut() {
    for (content, shown) in [
        ("零一二三四五六七八九十", "零一二三四五六七八九…"),
        ("零一二三四五六七八九", "零一二三四五六七八九"),
        ("电话是 13800138000 或 13900139000", "电话是 138******00…"),
        ("零一二三四 138 0013 8000", "零一二三四 138 **** **00"),
        ("零一二三四 li.si@example.com。", "零一二三四 l****@example.com…"),
    ] {
        assert_eq!(beginning(content, Numbers::Long, 10), shown);
    }
}

#[test]
fn a_long_text_takes_no_longer_for_each_of_its_letters() {
    // Examining everything that follows each letter would take hours for each of these.
    let began = std::time::Instant::now();
    for piece in ["a", "0", "f", "1 ", "1-", "a1", "@", "a.", "1@", "2026-05-01", "字", "𠮷", " ", "123456 a"]
    {
        let long = piece.repeat(200_000);
        for numbers in [Numbers::OfPeople, Numbers::Long] {
            assert!(text(&long, numbers).chars().count() <= long.chars().count(), "{piece}");
            assert!(beginning(&long, numbers, 1_000).chars().count() <= 1_300, "{piece}");
        }
        assert!(value(&long).chars().count() <= 8 || piece.contains('@'), "{piece}");
    }
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

/// A number as people write it: in groups, full-width, after a country code.
fn written(digits: &str, gaps: &[Option<char>], full: bool) -> String {
    let mut written = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if let Some(Some(gap)) = gaps.get(place).filter(|_| place > 0) {
            written.push(*gap);
        }
        let wide = char::from_u32(u32::from(digit) + 0xfee0).unwrap();
        written.push(if full { wide } else { digit });
    }
    written
}

fn digits_in(text: &str) -> usize {
    text.chars().filter(|c| c.is_ascii_digit() || ('０'..='９').contains(c)).count()
}

proptest! {
    #[test]
    fn no_more_of_a_number_is_left_than_its_ends(
        before in "[^0-9０-９A-Za-z_+＋\\-‐-―−Ａ-Ｚａ-ｚ＿ \u{a0}\u{3000}@＠.．%％－]{0,5}",
        after in "([^0-9０-９A-Za-z_Ａ-Ｚａ-ｚ＿@＠.．%％+＋－\\-‐-―−][^0-9０-９@＠]{0,5})?",
        code in prop_oneof![Just(""), Just("+86"), Just("+86 "), Just("0086-"), Just("＋８６　")],
        number in prop_oneof!["1[1-9][0-9]{9}", "[1-9][0-9]{5}19[0-9]{2}0[1-9][0-2][1-9][0-9]{3}[0-9X]"],
        gaps in prop::collection::vec(prop::option::weighted(0.2, prop_oneof![Just(' '), Just('-'), Just('　')]), 11),
        full in any::<bool>(),
    ) {
        let mobile = number.len() == 11;
        let (code, gaps) = if mobile { (code, gaps) } else { ("", Vec::new()) };
        let whole = format!("{before}{code}{}{after}", written(number.trim_end_matches('X'), &gaps, full))
            + if number.ends_with('X') { "X" } else { "" };
        prop_assume!(!number.ends_with('X') || after.is_empty());
        for numbers in [Numbers::OfPeople, Numbers::Long] {
            prop_assert_eq!(digits_in(&text(&whole, numbers)), 5, "{}", whole);
        }
    }

    #[test]
    fn no_more_of_an_address_is_left_than_its_first_letter_and_its_domain(
        before in "[\u{4e00}-\u{4eff} ，:]{0,5}",
        name in "[a-z0-9][a-z0-9._+-]{0,20}",
        domain in "[a-z]{1,8}\\.[a-z]{2,3}",
    ) {
        prop_assume!(format!("{name}@{domain}") != EXAMPLE);
        let hidden = "*".repeat(name.len() - 1);
        let masked = format!("{before}{}{hidden}@{domain}", &name[..1]);
        let whole = format!("{before}{name}@{domain}");
        for numbers in [Numbers::OfPeople, Numbers::Long] {
            prop_assert_eq!(text(&whole, numbers), masked.clone());
        }
    }

    #[test]
    fn no_more_of_a_personal_value_is_left_than_five_characters(personal in "[^@＠\\s*]{1,60}") {
        let left = value(&personal).chars().filter(|c| *c != '*').filter(|c| {
            is_digit(fold(*c)) || !(separates(fold(*c)) || matches!(fold(*c), '+' | '(' | ')' | 'X' | 'x'))
        }).count();
        prop_assert!(left <= 5, "{} of {}", left, personal);
    }

    #[test]
    fn a_masked_number_is_left_as_it_is(number in "1[3-9][0-9]{9}") {
        let once = text(&number, Numbers::Long);
        prop_assert_eq!(text(&once, Numbers::Long), once.clone());
        prop_assert_eq!(text(&once, Numbers::OfPeople), once);
    }
}
