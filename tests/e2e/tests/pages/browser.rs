//! A browser without a window, and what a person does with it. Nothing waits for a time: what has to come is looked for
//! until it is there.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;

/// How long anything is waited for before a test says that it does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(50);

const HINT: &str = "run `make browser` / 请先运行 `make browser`";

/// Where pictures of the pages are put.
const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/pages");

/// What a person looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    Desk,
    Phone,
    /// The narrowest on which nothing may be out of sight.
    Narrow,
}

impl Screen {
    fn size(self) -> (u32, u32) {
        match self {
            Self::Desk => (1280, 900),
            Self::Phone => (390, 844),
            Self::Narrow => (360, 740),
        }
    }
}

/// The browser, ended when dropped.
pub(crate) struct Browser {
    runtime: tokio::runtime::Runtime,
    driver: Option<WebDriver>,
    child: Child,
    base: String,
    screen: Screen,
    _profile: TempDir,
}

impl Browser {
    /// A browser whose person reads this language, at this screen, of the pages below this URL.
    pub(crate) fn open(base: &str, lang: &str, screen: Screen) -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver cannot be started ({error}): {HINT}"));
        let mut port = None;
        let mut said = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            port = line.split_once("on port ").map(|(_, port)| port.trim_end_matches('.').to_owned());
            said.push_str(&line);
            if line.contains("started successfully") && port.is_some() {
                break;
            }
        }
        let port: u16 = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{said}: {HINT}"));
        let profile = tempfile::tempdir().unwrap();
        let mut wishes = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            &format!("--user-data-dir={}", profile.path().display()),
        ] {
            wishes.add_arg(argument).unwrap();
        }
        wishes.add_experimental_option("prefs", json!({ "intl.accept_languages": lang })).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let driver = runtime
            .block_on(WebDriver::new(format!("http://127.0.0.1:{port}"), wishes))
            .unwrap_or_else(|error| panic!("chromium cannot be started ({error}): {HINT}"));
        let mut browser =
            Self { runtime, driver: Some(driver), child, base: base.to_owned(), screen, _profile: profile };
        browser.look_at(screen);
        browser
    }

    fn driver(&self) -> &WebDriver {
        self.driver.as_ref().unwrap()
    }

    fn tell(&self, method: &str, what: Value) {
        self.runtime.block_on(self.driver().cdp().send_raw(method, what)).unwrap();
    }

    fn sized(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.tell("Emulation.setDeviceMetricsOverride", size);
    }

    /// Takes another screen.
    pub(crate) fn look_at(&mut self, screen: Screen) {
        let (width, height) = screen.size();
        self.sized(width, height);
        self.screen = screen;
    }

    /// Turns the light on or off.
    pub(crate) fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.tell("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Goes to a path.
    pub(crate) fn go(&self, path: &str) {
        let url = format!("{}{path}", self.base);
        self.runtime.block_on(self.driver().goto(url)).unwrap();
    }

    /// Is somebody who has never been here.
    pub(crate) fn forget(&self) {
        self.runtime.block_on(self.driver().delete_all_cookies()).unwrap();
    }

    /// Where one is: the path with its query.
    pub(crate) fn path(&self) -> String {
        let url = self.runtime.block_on(self.driver().current_url()).unwrap();
        match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        }
    }

    /// Runs a script in the page.
    pub(crate) fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.tried(script, arguments).unwrap()
    }

    fn tried(&self, script: &str, arguments: Vec<Value>) -> WebDriverResult<Value> {
        self.runtime.block_on(self.driver().execute(script, arguments)).map(|told| told.json().clone())
    }

    /// Runs a script that tells its last argument when it is done.
    pub(crate) fn script_told(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.runtime.block_on(self.driver().execute_async(script, arguments)).unwrap().json().clone()
    }

    /// Waits until something is so.
    pub(crate) fn wait<T>(&self, what: &str, mut so: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = so() {
                return found;
            }
            if began.elapsed() > PATIENCE {
                self.picture("failed");
                panic!("{what} did not come within {PATIENCE:?}; {} says:\n{}", self.path(), self.text());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// What is to be read on the page. While a page takes the place of another there is none.
    pub(crate) fn text(&self) -> String {
        let text = self.tried("return document.body ? document.body.innerText : ''", vec![]);
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// What is to be read in one element.
    pub(crate) fn text_of(&self, selector: &str) -> Option<String> {
        let script = "const e = document.querySelector(arguments[0]); return e && e.innerText";
        self.tried(script, vec![json!(selector)]).ok()?.as_str().map(|text| text.trim().to_owned())
    }

    /// Everything that was sent, seen or not.
    pub(crate) fn source(&self) -> String {
        self.runtime.block_on(self.driver().source()).unwrap()
    }

    /// Waits until this is to be read.
    pub(crate) fn reads(&self, what: &str) {
        self.wait(what, || self.text().contains(what).then_some(()));
    }

    /// How many elements there are of a kind.
    pub(crate) fn count(&self, selector: &str) -> usize {
        self.runtime.block_on(self.driver().find_all(By::Css(selector))).unwrap().len()
    }

    fn find(&self, by: &By) -> WebElement {
        self.wait(&format!("{by:?}"), || {
            let found = self.runtime.block_on(self.driver().find_all(by.clone())).ok()?;
            found.into_iter().find(|one| self.runtime.block_on(one.is_displayed()).unwrap_or(false))
        })
    }

    /// Presses the first visible link, button or summary of these words.
    pub(crate) fn press(&self, words: &str) {
        let path =
            format!("//*[self::a or self::button or self::summary][contains(normalize-space(.), '{words}')]");
        self.click(&self.find(&By::XPath(path)));
    }

    /// Presses what a selector finds.
    pub(crate) fn press_on(&self, selector: &str) {
        self.click(&self.find(&By::Css(selector)));
    }

    fn click(&self, element: &WebElement) {
        let there = element.to_json().unwrap();
        self.script("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", vec![there]);
        self.runtime.block_on(element.click()).unwrap();
    }

    /// Writes into a field.
    pub(crate) fn write(&self, selector: &str, text: &str) {
        self.runtime.block_on(self.find(&By::Css(selector)).send_keys(text)).unwrap();
    }

    /// Presses a key, wherever one is.
    pub(crate) fn key(&self, key: Key) {
        self.runtime.block_on(self.driver().action_chain().send_keys(key).perform()).unwrap();
    }

    /// Puts a picture of the whole page among the build's output.
    pub(crate) fn picture(&self, name: &str) -> PathBuf {
        let (width, height) = self.screen.size();
        let whole = self.tried("return document.documentElement.scrollHeight", vec![]);
        let whole = whole.ok().and_then(|whole| whole.as_u64()).and_then(|whole| u32::try_from(whole).ok());
        self.sized(width, whole.unwrap_or(height).clamp(height, 6000));
        std::fs::create_dir_all(PICTURES).unwrap();
        let path = Path::new(PICTURES).join(format!("{name}.png"));
        self.runtime.block_on(self.driver().screenshot(&path)).unwrap();
        self.sized(width, height);
        path
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            // A browser that has ended already has nothing to be ended.
            drop(self.runtime.block_on(driver.quit()));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
