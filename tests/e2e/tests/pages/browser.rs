//! A browser without a window, and what a person does with it. Nothing waits for a time: what has to come is looked for
//! until it is there.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::driver::{Driver, Element, Key};

/// How long anything is waited for before a test says that it does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(50);

/// A way to find elements.
const CSS: &str = "css selector";

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
    driver: Driver,
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
        let data = format!("--user-data-dir={}", profile.path().display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            &data,
        ];
        let wishes = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments, "prefs": { "intl.accept_languages": lang } },
        });
        let driver = Driver::new(port, &wishes)
            .unwrap_or_else(|error| panic!("chromium cannot be started ({error}): {HINT}"));
        let mut browser = Self { driver, child, base: base.to_owned(), screen, _profile: profile };
        browser.look_at(screen);
        browser
    }

    fn tell(&self, method: &str, what: Value) {
        self.driver.post("/goog/cdp/execute", &json!({ "cmd": method, "params": what })).unwrap();
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
        self.driver.post("/url", &json!({ "url": url })).unwrap();
    }

    /// Is somebody who has never been here.
    pub(crate) fn forget(&self) {
        self.driver.delete("/cookie").unwrap();
    }

    /// Where one is: the path with its query.
    pub(crate) fn path(&self) -> String {
        let url = self.driver.get("/url").unwrap();
        let path = url.as_str().and_then(|url| url.strip_prefix(&self.base)).unwrap_or_default();
        path.split_once('#').map_or(path, |(path, _)| path).to_owned()
    }

    /// Runs a script in the page.
    pub(crate) fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.tried(script, arguments).unwrap()
    }

    fn tried(&self, script: &str, arguments: Vec<Value>) -> Result<Value, String> {
        self.driver.script("sync", script, arguments)
    }

    /// Runs a script that tells its last argument when it is done.
    pub(crate) fn script_told(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.driver.script("async", script, arguments).unwrap()
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
        self.driver.get("/source").unwrap().as_str().unwrap().to_owned()
    }

    /// Waits until this is to be read.
    pub(crate) fn reads(&self, what: &str) {
        self.wait(what, || self.text().contains(what).then_some(()));
    }

    /// How many elements there are of a kind.
    pub(crate) fn count(&self, selector: &str) -> usize {
        self.driver.find_all(CSS, selector).unwrap().len()
    }

    fn find(&self, using: &str, value: &str) -> Element {
        self.wait(value, || {
            let found = self.driver.find_all(using, value).ok()?;
            found.into_iter().find(|one| self.driver.shows(one))
        })
    }

    /// Presses the first visible link, button or summary of these words.
    pub(crate) fn press(&self, words: &str) {
        let path =
            format!("//*[self::a or self::button or self::summary][contains(normalize-space(.), '{words}')]");
        self.click(&self.find("xpath", &path));
    }

    /// Presses what a selector finds.
    pub(crate) fn press_on(&self, selector: &str) {
        self.click(&self.find(CSS, selector));
    }

    fn click(&self, element: &Element) {
        let there = element.argument();
        self.script("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", vec![there]);
        self.driver.click(element).unwrap();
    }

    /// Writes into a field.
    pub(crate) fn write(&self, selector: &str, text: &str) {
        self.driver.write(&self.find(CSS, selector), text).unwrap();
    }

    /// Presses a key, wherever one is.
    pub(crate) fn key(&self, key: Key) {
        self.driver.key(key).unwrap();
    }

    /// Puts a picture of the whole page among the build's output.
    pub(crate) fn picture(&self, name: &str) -> PathBuf {
        let (width, height) = self.screen.size();
        let whole = self.tried("return document.documentElement.scrollHeight", vec![]);
        let whole = whole.ok().and_then(|whole| whole.as_u64()).and_then(|whole| u32::try_from(whole).ok());
        self.sized(width, whole.unwrap_or(height).clamp(height, 6000));
        std::fs::create_dir_all(PICTURES).unwrap();
        let path = Path::new(PICTURES).join(format!("{name}.png"));
        let picture = self.driver.get("/screenshot").unwrap();
        let picture = base64::engine::general_purpose::STANDARD.decode(picture.as_str().unwrap()).unwrap();
        std::fs::write(&path, picture).unwrap();
        self.sized(width, height);
        path
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A browser that has ended already has nothing to be ended.
        drop(self.driver.delete(""));
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
