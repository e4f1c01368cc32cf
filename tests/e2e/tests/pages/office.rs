//! A small factory served by `ruzhi serve`, with an operator and a viewer, and a browser at its login page.

use ruzhi_e2e::{Deployment, Outcome, Serving, Tenant, Workforce};
use ruzhi_sim::{Limits, Simulator};

use crate::browser::{Browser, Screen};

pub(crate) const OPERATOR: &str = "the-operators-token-0123456789";
pub(crate) const VIEWER: &str = "the-viewers-token-0123456789";

/// The flow's page.
pub(crate) const TENANT: &str = "/tenants/jingxintai";

/// Language of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    Zh,
    En,
}

impl Lang {
    /// The browser's name of the language.
    pub(crate) fn tag(self) -> &'static str {
        self.say("en", "zh-CN")
    }

    pub(crate) fn say(self, en: &'static str, zh: &'static str) -> &'static str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

pub(crate) struct Office {
    pub(crate) browser: Browser,
    _serving: Serving,
    pub(crate) simulator: Simulator,
    _deployment: Deployment,
    pub(crate) workforce: Workforce,
    pub(crate) lang: Lang,
}

impl Office {
    /// This many people in the form; `before` runs before the process starts.
    pub(crate) fn new(
        people: usize,
        lang: Lang,
        screen: Screen,
        tenant: impl FnOnce(Tenant) -> Tenant,
        before: impl FnOnce(&Simulator, &Deployment, &mut Workforce),
    ) -> Self {
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let mut workforce = Workforce::new(people);
        simulator.load(workforce.document()).unwrap();
        simulator.set_limits(Limits { enabled: false, ..Limits::default() });
        let deployment = Deployment::new(&[tenant(Tenant::new(&simulator.url()))]).unwrap();
        before(&simulator, &deployment, &mut workforce);
        let file = deployment.path().join("ruzhi.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let people = "[server]\ntoken = { env = \"OPERATOR\" }\nviewer_token = { env = \"VIEWER\" }\n";
        std::fs::write(&file, format!("{text}\n{people}")).unwrap();
        let serving = Serving::start(&deployment, &[("OPERATOR", OPERATOR), ("VIEWER", VIEWER)]).unwrap();
        let browser = Browser::open(&serving.url, lang.tag(), screen);
        Self { browser, _serving: serving, simulator, workforce, lang, _deployment: deployment }
    }

    pub(crate) fn say(&self, en: &'static str, zh: &'static str) -> &'static str {
        self.lang.say(en, zh)
    }

    /// Logs in with a token.
    pub(crate) fn log_in(&self, token: &str) {
        self.browser.go("/login");
        self.browser.write("#token", token);
        self.browser.press(self.say("Log in", "登录"));
        self.browser.wait("the overview", || (self.browser.path() == "/").then_some(()));
    }

    /// Requests a run and opens its page. A run that cannot begin at once is found in the list of runs.
    pub(crate) fn run_now(&self) {
        self.browser.go(TENANT);
        self.browser.press(self.say("Run now", "立即运行"));
        self.browser.wait("an answer", || {
            // The notice appears once: for a run that has ended already, the page was loaded again without it.
            let said = self.browser.text_of(".note.ok[role=status]").is_some();
            (said || self.browser.path().starts_with("/runs/")).then_some(())
        });
        if !self.browser.path().starts_with("/runs/") {
            self.browser.wait("the run", || {
                self.browser.go("/runs");
                (self.browser.count("main a[href^='/runs/']") > 0).then_some(())
            });
            self.browser.press_on("main a[href^='/runs/']");
        }
    }

    /// Waits until the page shows this outcome of the run.
    pub(crate) fn ended(&self, state: &'static str) {
        self.browser.wait(state, || (self.browser.text_of(".title .badge")? == state).then_some(()));
    }
}

/// Runs a command that must succeed, before the process starts.
pub(crate) fn ran(deployment: &Deployment, arguments: &[&str], code: i32) -> Outcome {
    let outcome = deployment.run(arguments).unwrap();
    assert_eq!(outcome.code, Some(code), "{arguments:?}\n{}{}", outcome.stdout, outcome.stderr);
    outcome
}
