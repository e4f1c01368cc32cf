use super::*;

#[test]
fn what_is_good_can_be_looked_at_beside_what_is_not() {
    let bad = TENANT.replace("corp_id", "corp_ids");
    let deployment = ConfigFolder::of(&[("tenants/a.toml", &bad), ("tenants/b.toml", TENANT)]);
    let usable = || {
        let (config, problems) =
            Config::usable(deployment.dir.path(), &deployment.variables, &deployment.checks);
        (config.map(|config| config.tenants.len()), problems)
    };
    let (tenants, problems) = usable();
    let problems = problems.unwrap();
    let by_file = |problems: &Problems| -> Vec<(String, usize)> {
        let files = problems.errors_by_file().into_iter();
        files.map(|(file, errors)| (file.display().to_string(), errors.len())).collect()
    };
    assert_eq!((tenants, by_file(&problems)), (Some(1), vec![("tenants/a.toml".to_owned(), 2)]));
    let (config, _) = Config::usable(deployment.dir.path(), &deployment.variables, &deployment.checks);
    let config = config.unwrap();
    assert_eq!(config.select_usable(Some("a"), Some(&problems)).unwrap().len(), 0);
    assert_eq!(config.select_usable(Some("a/onboarding"), Some(&problems)).unwrap().len(), 0);
    assert_eq!(config.select_usable(None, Some(&problems)).unwrap().len(), 1);
    assert!(config.select_usable(Some("c"), Some(&problems)).is_err());
    assert!(deployment.load().is_err(), "nothing runs on it");
    // With an invalid host file, the tenants' ceiling is unknown.
    deployment.write("ruzhi.toml", b"[stor]\n");
    let (tenants, problems) = usable();
    assert_eq!((tenants, by_file(&problems.unwrap()).len()), (None, 2));
}

#[test]
fn a_folder_that_is_not_there_is_one_problem() {
    let deployment = ConfigFolder::of(&[]);
    let dir = deployment.path("nowhere");
    let problems = Config::load(&dir, &deployment.variables, &deployment.checks).unwrap_err();
    let report = problems.render(Lang::En).replace(&deployment.dir.path().display().to_string(), "DIR");
    assert_eq!(
        report,
        r#"error: the configuration's folder cannot be read: it does not exist
--> DIR/nowhere
 = hint: name the folder that holds `tenants/` with `--config DIR`

1 error in the configuration; nothing was done
"#
    );
}

#[test]
fn no_tenant_at_all_is_a_problem() {
    let report = r#"error: there is no tenant
--> tenants
 = hint: write one file for each factory, such as tenants/jingxintai.toml

1 error in the configuration; nothing was done
"#;
    let deployment = ConfigFolder::of(&[]);
    assert_eq!(deployment.english(), report);
    // Other files are ignored.
    for other in ["tenants/a/rules.json", "tenants/a.toml.bak", "tenants/.a.toml", "tenants/b.toml/x"] {
        deployment.write(other, b"");
    }
    assert_eq!(deployment.english(), report);
}

#[test]
fn a_file_where_the_folder_should_be_and_a_folder_where_the_file_should_be() {
    let deployment = ConfigFolder::of(&[("tenants", ""), ("ruzhi.toml/x", "")]);
    assert_eq!(
        deployment.english(),
        r#"error: the file cannot be read: it is a folder, not a file
--> ruzhi.toml

error: the tenants' folder cannot be read: it is a file, not a folder
--> tenants

2 errors in the configuration; nothing was done
"#
    );
    assert_eq!(
        deployment.report(Lang::Zh),
        r#"错误：无法读取文件：这是文件夹，不是文件
--> ruzhi.toml

错误：无法读取工厂配置文件夹：这是文件，不是文件夹
--> tenants

配置中有 2 个错误，未执行任何操作
"#
    );
}

#[test]
fn a_file_that_is_not_utf8_says_from_which_line() {
    let deployment = ConfigFolder::of(&[]);
    // 景 as GBK.
    deployment.write("tenants/a.toml", b"# a\nname = \"\xbe\xb0\"\n");
    assert_eq!(
        deployment.english(),
        r#"error: the file is not UTF-8
--> tenants/a.toml:2
 = hint: save it as UTF-8; on a Chinese Windows an editor may save as GBK

1 error in the configuration; nothing was done
"#
    );
}

#[test]
fn a_tenants_file_has_an_id_for_its_name() {
    let deployment = ConfigFolder::of(&[("tenants/景欣泰.toml", TENANT)]);
    assert_eq!(
        deployment.english(),
        r#"error: `景欣泰` is not a valid tenant id; a tenant is named after its file
--> tenants/景欣泰.toml
 = hint: 1 to 64 of the letters a-z and A-Z, digits, `-` and `_`, first a letter or digit

1 error in the configuration; nothing was done
"#
    );
}

#[test]
fn a_component_and_its_rules_must_be_there_unless_told_not_to_look() {
    let mut deployment = ConfigFolder::with(&[(
        "\"../guests/member.wasm\"",
        "\"../guests/membr.wasm\"\nconfig = \"../guests\"",
    )]);
    assert_eq!(
        deployment.english(),
        r#"error: `flows.guest.component`: the file `../guests/membr.wasm` cannot be used: it does not exist
  --> tenants/a.toml:12:13
   |
12 | component = "../guests/membr.wasm"
   |             ^^^^^^^^^^^^^^^^^^^^^^
   |
   = hint: the path is relative to this file; looked for DIR/guests/membr.wasm

error: `flows.guest.config`: the file `../guests` cannot be used: it is a folder, not a file
  --> tenants/a.toml:13:10
   |
13 | config = "../guests"
   |          ^^^^^^^^^^^
   |
   = hint: the path is relative to this file; looked for DIR/guests

2 errors in the configuration; nothing was done
"#
    );
    deployment.checks.files = false;
    let guest = deployment.good().tenants[0].flows[0].guest.clone();
    assert_eq!(guest.component, deployment.path("guests/membr.wasm"));
}

#[cfg(unix)]
#[test]
fn behind_a_symbolic_link_the_path_is_the_systems() {
    let deployment =
        ConfigFolder::of(&[("mounted/deep/a.toml", TENANT), ("mounted/guests/member.wasm", "another")]);
    std::os::unix::fs::symlink(deployment.path("mounted/deep"), deployment.path("tenants")).unwrap();
    let component = deployment.good().tenants[0].flows[0].guest.component.clone();
    assert_eq!(std::fs::read(component).unwrap(), b"another");
}

#[test]
fn problems_are_data_too() {
    let deployment = ConfigFolder::with(&[("id = \"onboarding\"", "id = \"on boarding\"")]);
    let problems = serde_json::to_value(deployment.load().unwrap_err()).unwrap();
    assert_eq!(
        problems,
        serde_json::json!({"list": [{
            "severity": "error",
            "file": "tenants/a.toml",
            "line": 7,
            "column": 6,
            "width": 13,
            "source_line": "id = \"on boarding\"",
            "text": {
                "en": "`flows.id`: `on boarding` is not a valid flow id",
                "zh": "`flows.id`：“on boarding”不是有效的同步流 id"
            },
            "hint": {
                "en": "1 to 64 of the letters a-z and A-Z, digits, `-` and `_`, first a letter or digit",
                "zh": "1 到 64 个英文字母、数字、`-`、`_`，以字母或数字开头"
            }
        }]})
    );
}
