//! People's tasks, done in the browser as they would do them.

use ruzhi_e2e::{RULES, Tenant};
use ruzhi_sim::Knobs;
use serde_json::json;

use crate::browser::Screen;
use crate::every::{full, pages};
use crate::office::{Lang, OPERATOR, Office, TENANT, VIEWER, ran};

/// Each story runs at a desk in Chinese, and on a phone in English.
const PEOPLE: [(Lang, Screen); 2] = [(Lang::Zh, Screen::Desk), (Lang::En, Screen::Phone)];

fn plain(tenant: Tenant) -> Tenant {
    tenant
}

/// Marks the page, to see later if it was loaded again.
fn mark(office: &Office) {
    office.browser.script("window.marked = true", vec![]);
}

fn is_marked(office: &Office) -> bool {
    office.browser.script("return window.marked === true", vec![]) == json!(true)
}

#[test]
fn a_person_logs_in_switches_language_and_logs_out() {
    for (lang, screen) in PEOPLE {
        let office = Office::new(1, lang, screen, plain, |_, _, _| ());
        let (browser, say) = (&office.browser, |en, zh| office.say(en, zh));
        let asked = "/runs?tenant=jingxintai";
        browser.go(asked);
        assert!(browser.path().starts_with("/login?next="), "{}", browser.path());
        browser.write("#token", "not-the-operators-token");
        browser.press(say("Log in", "登录"));
        browser.wait("the refusal", || browser.text_of(".note.bad[role=alert]"));
        assert_eq!(browser.count("nav"), 0, "nothing is shown before login");
        browser.write("#token", OPERATOR);
        browser.press(say("Log in", "登录"));
        browser.wait("where one wanted to go", || (browser.path() == asked).then_some(()));

        let title = |words: &str| (browser.text_of("h1")? == words).then_some(());
        browser.wait("the title", || title(say("Runs", "运行")));
        let other = say("中文", "English");
        if screen == Screen::Phone {
            browser.press_on(".menu > summary");
        }
        browser.press(other);
        browser.wait("the other language", || title(say("运行", "Runs")));
        assert!(browser.path().starts_with(asked), "the same page: {}", browser.path());
        browser.go("/audit");
        browser.wait("the language is kept", || title(say("审计日志", "Audit log")));
        assert!(browser.text().contains(say("登录", "logged in")), "{}", browser.text());

        if screen == Screen::Phone {
            browser.press_on(".menu > summary");
        }
        browser.press(say("退出登录", "Log out"));
        browser.wait("the door", || (browser.path() == "/login").then_some(()));
        browser.go("/");
        assert!(browser.path().starts_with("/login"), "{}", browser.path());
    }
}

#[test]
fn a_run_is_watched_as_it_goes() {
    for (lang, screen) in PEOPLE {
        let slow = |tenant| Tenant {
            wecom_limits: "{ per_minute = 10000, per_hour = 100000, in_flight = 1 }".to_owned(),
            ..tenant
        };
        let office = Office::new(40, lang, screen, slow, |simulator, _, _| {
            // Ten seconds for all of them.
            simulator.set_knobs(Knobs { latency_ms: 250, ..Knobs::default() });
        });
        office.log_in(OPERATOR);
        office.run_now();
        let browser = &office.browser;
        mark(&office);
        let settled = || browser.text_of("[data-live=settled]")?.parse::<u64>().ok();
        let first = browser.wait("the first people", || settled().filter(|count| *count > 0));
        let more = browser.wait("more people", || settled().filter(|count| *count > first));
        browser.wait("and more", || settled().filter(|count| *count > more));
        browser.wait("a word for screen readers", || {
            let said = browser.script("return document.querySelector('[data-say]').textContent", vec![]);
            said.as_str().filter(|said| said.contains("40")).map(str::to_owned)
        });
        assert!(is_marked(&office), "the numbers change without a reload");
        // When the run has ended, its page is loaded again.
        office.ended(office.say("done", "完成"));
        assert!(!is_marked(&office));
        assert!(browser.path().starts_with("/runs/"), "{}", browser.path());
        browser.go("/");
        browser.reads("40");
        office.workforce.check_exact(&office.simulator).unwrap();
    }
}

fn held(tenant: Tenant) -> Tenant {
    Tenant { tables: "[guard]\ncreate_most = 2\n".to_owned(), ..tenant }
}

#[test]
fn a_held_plan_is_read_approved_and_people_come_to_be() {
    for (lang, screen) in PEOPLE {
        let office = Office::new(5, lang, screen, held, |_, _, _| ());
        office.log_in(OPERATOR);
        office.run_now();
        office.ended(office.say("held", "待审批"));
        let (browser, say) = (&office.browser, |en, zh| office.say(en, zh));
        browser.go("/");
        browser.press(say("Look at the plan", "查看计划"));
        browser.wait("the plan", || browser.path().starts_with("/plans/").then_some(()));
        for name in ["王0001", "王0005", "create_most"] {
            assert!(browser.text().contains(name), "{name}: {}", browser.text());
        }
        assert!(office.workforce.check_exact(&office.simulator).is_err(), "no one is written yet");

        // Full numbers are shown on request, which is logged.
        let number = "13920000001";
        assert!(!browser.source().contains(number));
        browser.press(say("Show numbers", "显示完整号码"));
        browser.reads(say("written to the audit log", "记入审计日志"));
        browser.press_on("dialog .primary");
        browser.reads(say("Numbers and addresses are shown in full", "号码与地址已完整显示"));
        assert!(browser.text().contains(number), "{}", browser.text());

        browser.press(say("Approve…", "批准…"));
        let approve = "form[action$='/approve']";
        // Without a reason and the tick the browser sends nothing.
        browser.press_on(&format!("{approve} button"));
        assert!(browser.path().starts_with("/plans/"), "{}", browser.path());
        browser.write("#approve-why", "新厂开工");
        browser.press_on("#approve-sure");
        browser.press_on(&format!("{approve} button"));
        browser.wait("five people", || office.workforce.check_exact(&office.simulator).ok());
        browser.wait("an ended run", || {
            browser.go("/runs");
            (browser.count("main .badge.run") == 0).then_some(())
        });

        browser.go("/audit");
        for said in [
            "新厂开工",
            say("approved a plan", "批准计划"),
            say("looked at numbers of a plan", "查看计划的完整号码"),
        ] {
            assert!(browser.text().contains(said), "{said}: {}", browser.text());
        }
    }
}

#[test]
fn a_record_in_quarantine_is_corrected() {
    for (lang, screen) in PEOPLE {
        let mut office = Office::new(3, lang, screen, plain, |simulator, deployment, workforce| {
            workforce.hire_wrongly();
            workforce.publish(simulator).unwrap();
            ran(deployment, &["sync", "jingxintai"], 0);
        });
        office.log_in(OPERATOR);
        let wrong = office.workforce.workers()[3].record.clone();
        office.browser.go("/quarantine");
        assert!(office.browser.text().contains(&wrong), "{}", office.browser.text());
        office.browser.press(&wrong);
        office.browser.reads("mobile.invalid");

        office.workforce.employ(3);
        office.workforce.publish(&office.simulator).unwrap();
        let (browser, say) = (&office.browser, |en, zh| office.say(en, zh));
        browser.go("/quarantine");
        browser.press(say("Try again…", "重试…"));
        browser.press_on("form[action$='/retry'] button");
        browser.wait("an answer", || {
            let said = browser.text_of(".note.ok[role=status]").is_some();
            (said || browser.path().starts_with("/runs/")).then_some(())
        });
        browser.wait("an empty quarantine", || {
            browser.go("/quarantine");
            let text = browser.text();
            (!text.contains(&wrong) && text.contains(say("Nothing is in quarantine", "没有待修正的记录")))
                .then_some(())
        });
        browser.wait("the person", || office.workforce.check_exact(&office.simulator).ok());
    }
}

#[test]
fn rules_are_gone_back_to_with_a_reason() {
    for (lang, screen) in PEOPLE {
        let office = Office::new(3, lang, screen, plain, |simulator, deployment, _| {
            ran(deployment, &["sync", "jingxintai"], 0);
            let rules = Some(format!("{RULES}\n"));
            deployment.put(&Tenant { rules, ..Tenant::new(&simulator.url()) }).unwrap();
            ran(deployment, &["sync", "jingxintai"], 0);
        });
        office.log_in(OPERATOR);
        let (browser, say) = (&office.browser, |en, zh| office.say(en, zh));
        browser.go("/rules");
        browser.press_on("a[href='/rules/jingxintai/onboarding']");
        browser.press(say("Roll back…", "回退…"));
        browser.write("#why-1", "规则有误");
        browser.press_on("form[action$='/rollback'] button");
        browser.reads(say("The earlier rules are live", "已恢复为先前的同步规则"));
        browser.reads(say("files passed over", "文件中的同步规则未采用"));
        assert!(browser.text().contains("规则有误"), "the history says why: {}", browser.text());
        browser.go("/audit");
        for said in ["规则有误", say("rolled rules back", "回退同步规则")] {
            assert!(browser.text().contains(said), "{said}: {}", browser.text());
        }
    }
}

#[test]
fn a_flow_is_paused_and_resumed() {
    for (lang, screen) in PEOPLE {
        let office = Office::new(1, lang, screen, plain, |_, _, _| ());
        office.log_in(OPERATOR);
        let (browser, say) = (&office.browser, |en, zh| office.say(en, zh));
        browser.go(TENANT);
        browser.press(say("Pause…", "暂停…"));
        browser.write("#pause-onboarding", "盘点");
        browser.press_on("form[action$='/pause'] button");
        browser.reads(say("The flow is paused.", "同步流已暂停。"));
        browser.reads("盘点");
        browser.go("/");
        browser.press(say("Resume", "恢复"));
        browser.reads(say("The flow is on its schedule again.", "同步流已恢复按时运行。"));
        browser.go(TENANT);
        assert!(!browser.text().contains("盘点"), "{}", browser.text());
    }
}

#[test]
fn a_viewer_reads_everything_and_is_offered_nothing() {
    for (lang, screen) in PEOPLE {
        let office = full(lang, screen);
        office.browser.forget();
        office.log_in(VIEWER);
        for page in pages(&office) {
            office.browser.go(&page.path);
            assert_eq!(office.browser.path(), page.path);
            let forms = office.browser.count("form[method=post]:not([action='/logout'])");
            assert_eq!(forms, 0, "{}", page.path);
            assert!(!office.browser.source().contains("13920000001"), "{}", page.path);
        }
    }
}
