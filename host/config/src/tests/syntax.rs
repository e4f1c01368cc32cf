use super::*;

#[test]
fn broken_syntax_is_shown_and_the_other_files_are_still_checked() {
    let deployment = ConfigFolder::of(&[
        ("ruzhi.toml", "[guest]\nmemory = 64MiB\ndeadline = \"2s\n"),
        ("tenants/a.toml", "name = “景欣泰”\ntimezone \u{ff1d} \"x\"\n[wecom\ncorp_id = \"ww1\"\n"),
        ("tenants/b.toml", "name = \"b\"\nname = \"c\"\n"),
        ("tenants/c.toml", "name = \"C:\\Users\"\n"),
        ("tenants/d.toml", &TENANT.replace("id = \"onboarding\"", "id = 1")),
    ]);
    assert_eq!(
        deployment.english(),
        r#"error: broken TOML: string values must be quoted, expected literal string
 --> ruzhi.toml:2:10
  |
2 | memory = 64MiB
  |          ^^^^^
  |
  = hint: put the text in quotes: "…"

error: broken TOML: invalid basic string, expected `"`
 --> ruzhi.toml:3:15
  |
3 | deadline = "2s
  |               ^

error: broken TOML: string values must be quoted, expected literal string
 --> tenants/a.toml:1:8
  |
1 | name = “景欣泰”
  |        ^^^^^^^^
  |
  = hint: `“` is a Chinese punctuation mark; TOML wants " ' = , [ ] { }

error: broken TOML: key with no value, expected `=`
 --> tenants/a.toml:2:10
  |
2 | timezone ＝ "x"
  |          ^^
  |
  = hint: `＝` is a Chinese punctuation mark; TOML wants " ' = , [ ] { }

error: broken TOML: unclosed table, expected `]`
 --> tenants/a.toml:3:7
  |
3 | [wecom
  |       ^

error: broken TOML: duplicate key
 --> tenants/b.toml:2:1
  |
2 | name = "c"
  | ^^^^
  |
  = hint: a key or [table] may stand once; remove one, or write [[flows]] for one more flow

error: broken TOML: too few unicode value digits, expected unicode hexadecimal value
 --> tenants/c.toml:1:13
  |
1 | name = "C:\Users"
  |             ^
  |
  = hint: a `\` in "…" begins an escape; write the text in single quotes, '…', or a path with `/`

error: `flows.id` must be text in quotes, found a whole number
 --> tenants/d.toml:7:6
  |
7 | id = 1
  |      ^

8 errors in the configuration; nothing was done
"#
    );
    assert_eq!(
        deployment.report(Lang::Zh),
        r#"错误：TOML 语法有误：string values must be quoted, expected literal string
 --> ruzhi.toml:2:10
  |
2 | memory = 64MiB
  |          ^^^^^
  |
  = 提示：文本要用英文引号括起来："…"

错误：TOML 语法有误：invalid basic string, expected `"`
 --> ruzhi.toml:3:15
  |
3 | deadline = "2s
  |               ^

错误：TOML 语法有误：string values must be quoted, expected literal string
 --> tenants/a.toml:1:8
  |
1 | name = “景欣泰”
  |        ^^^^^^^^
  |
  = 提示：`“` 是中文标点，TOML 只认英文的 " ' = , [ ] { }

错误：TOML 语法有误：key with no value, expected `=`
 --> tenants/a.toml:2:10
  |
2 | timezone ＝ "x"
  |          ^^
  |
  = 提示：`＝` 是中文标点，TOML 只认英文的 " ' = , [ ] { }

错误：TOML 语法有误：unclosed table, expected `]`
 --> tenants/a.toml:3:7
  |
3 | [wecom
  |       ^

错误：TOML 语法有误：duplicate key
 --> tenants/b.toml:2:1
  |
2 | name = "c"
  | ^^^^
  |
  = 提示：同一个键或 [表] 只能写一次；请删去一个，要多一个同步流请写 [[flows]]

错误：TOML 语法有误：too few unicode value digits, expected unicode hexadecimal value
 --> tenants/c.toml:1:13
  |
1 | name = "C:\Users"
  |             ^
  |
  = 提示：双引号里的 `\` 是转义符；请改用单引号 '…'，路径可用 `/`

错误：`flows.id` 应为带引号的文本，写成了整数
 --> tenants/d.toml:7:6
  |
7 | id = 1
  |      ^

配置中有 8 个错误，未执行任何操作
"#
    );
}

#[test]
fn the_caret_stands_beneath_its_place_after_wide_characters_and_tabs() {
    let deployment = ConfigFolder::with(&[("[wecom]\n", "\tprotected = [\"a\", '老板', \"-\"]\n[wecom]\n")]);
    assert_eq!(
        deployment.english(),
        r#"error: `protected`: `老板` is not a valid userid
 --> tenants/a.toml:1:20
  |
1 |     protected = ["a", '老板', "-"]
  |                       ^^^^^^
  |
  = hint: 1 to 64 of the letters a-z and A-Z, digits, `_`, `-`, `@` and `.`, first a letter or digit

error: `protected`: `-` is not a valid userid
 --> tenants/a.toml:1:26
  |
1 |     protected = ["a", '老板', "-"]
  |                               ^^^
  |
  = hint: 1 to 64 of the letters a-z and A-Z, digits, `_`, `-`, `@` and `.`, first a letter or digit

2 errors in the configuration; nothing was done
"#
    );
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let filler = "x".repeat(200);
    let deployment = ConfigFolder::with(&[(
        "[wecom]\n",
        &format!("protected = [\"{}\", \"a b\", \"{filler}\"]\n[wecom]\n", "y".repeat(60)),
    )]);
    assert_eq!(
        deployment.english(),
        r#"error: `protected`: `a b` is not a valid userid
 --> tenants/a.toml:1:78
  |
1 | protected = ["yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", "a b", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
  |                                                                              ^^^^^
  |
  = hint: 1 to 64 of the letters a-z and A-Z, digits, `_`, `-`, `@` and `.`, first a letter or digit

error: `protected`: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` is not a valid userid
 --> tenants/a.toml:1:85
  |
1 | ...yyyyyyyyyyyyyyy", "a b", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
  |                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: 1 to 64 of the letters a-z and A-Z, digits, `_`, `-`, `@` and `.`, first a letter or digit

2 errors in the configuration; nothing was done
"#
    );
}

#[test]
fn a_file_that_is_no_toml_at_all_is_cut_short() {
    let noise = "{ \u{1b}[31m ]\n".repeat(2_000);
    let report = ConfigFolder::of(&[("tenants/a.toml", &noise)]).english();
    assert_eq!(report.matches("error: ").count(), 20);
    assert!(!report.contains('\u{1b}'));
}
