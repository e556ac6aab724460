//! The console in a real browser: signed in as DSL and as technician, light and dark, wide and narrow, and
//! held against axe-core's rules. With `REDSHANK_SCREENSHOTS` set to a folder, each page is photographed into it.

use std::path::PathBuf;

use fantoccini::{Client, ClientBuilder, Locator};
use jiff::SignedDuration;
use redshank_proto::clock::{Clock as _, System};
use redshank_tests::programs::{Running, command};
use redshank_tests::replay::History;
use redshank_tests::script::Step;
use redshank_tests::stack::Account;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::{Scene, eventually};

/// WCAG 2.2 AA, and what axe-core calls good practice.
const RUN_AXE: &str = "const done = arguments[arguments.length - 1];
  axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
    .then(result => done(result.violations.map(violation =>
      violation.id + ': ' + violation.nodes.map(node => node.html).join(' | '))));";

#[tokio::test]
async fn the_dsl_s_pages_are_accessible_and_do_their_work() {
    let scene = Scene::start().await;
    scene.stack.decide(&exempted()).await.unwrap();
    let history = History::begin(&scene.profile).unwrap();
    for words in ["how to kill myself", "he says he will share my nudes unless i send more"] {
        history.visit(&Step::search(words)).unwrap();
    }
    let dsl = scene.dsl().await;
    let row = eventually("two alerts", async || {
        let rows = dsl.queue().await.ok().filter(|rows| rows.len() == 2)?;
        rows.into_iter().find(|row| row.category == "Suicide")
    })
    .await;

    for look in LOOKS {
        let browser = Window::open(look).await;
        let url = scene.stack.console_url();
        browser.visit(&format!("{url}/sign-in")).await;
        browser.check("sign-in").await;
        browser.sign_in(&scene.stack.dsl).await;
        browser.client.wait().for_element(Locator::Css("#queue tr[data-alert]")).await.unwrap();
        let rows = browser.client.find_all(Locator::Css("#queue tr[data-alert]")).await.unwrap();
        assert_eq!(rows.len(), 2);
        browser.check("queue").await;
        browser.visit(&format!("{url}/alerts/{}", row.alert)).await;
        let marked = browser.client.find(Locator::Css("mark")).await.unwrap().text().await.unwrap();
        assert!(marked.contains("kill myself"), "{marked}");
        assert!(!browser.client.title().await.unwrap().contains("kill"));
        browser.check("alert").await;
        for page in ["summary", "monitoring", "people", "devices", "account", "no-such-page"] {
            browser.visit(&format!("{url}/{page}")).await;
            browser.check(&format!("dsl-{page}")).await;
        }
        browser.close().await;
    }

    // Acknowledge and close, as a person does it.
    let browser = Window::open(LOOKS[0]).await;
    browser.visit(&format!("{}/sign-in", scene.stack.console_url())).await;
    browser.sign_in(&scene.stack.dsl).await;
    browser.click("#queue tr[data-alert] a").await;
    browser.click("form[action$='/acknowledge'] button").await;
    browser.check("alert-acknowledged").await;
    let reason = browser.client.find(Locator::Css("textarea[name=reason]")).await.unwrap();
    reason.send_keys("Spoke with the child and her mother.").await.unwrap();
    browser.click("input[name=disposition]").await;
    browser.click("form[action$='/close'] button").await;
    browser.check("alert-closed").await;
    let source = browser.client.source().await.unwrap();
    assert!(source.contains("Spoke with the child and her mother."));
    browser.close().await;
    assert_eq!(dsl.queue().await.unwrap().len(), 1);
}

/// A policy with a lesson's exemption, which stands at the top of every page while it lasts.
fn exempted() -> String {
    let day = |days: i64| {
        (System.now() + SignedDuration::from_hours(24 * days)).strftime("%F").to_string()
    };
    format!(
        "school = \"Marsh Lane Academy\"\n[[exemption]]\ncategories = [\"drugs\"]\n\
         reason = \"Year 9 learns about drugs; agreed with the DSL\"\nfrom = {}\nuntil = {}\n",
        day(-2),
        day(30)
    )
}

#[tokio::test]
async fn the_technician_sees_devices_and_is_refused_every_page_with_content() {
    let scene = Scene::start().await;
    History::begin(&scene.profile).unwrap().visit(&Step::search("how to kill myself")).unwrap();
    let dsl = scene.dsl().await;
    let alert =
        eventually("the alert", async || Some(dsl.queue().await.ok()?.first()?.alert.clone()));
    let alert = alert.await;

    for look in LOOKS {
        let browser = Window::open(look).await;
        let url = scene.stack.console_url();
        browser.visit(&format!("{url}/sign-in")).await;
        browser.sign_in(&scene.stack.technician).await;
        browser.client.wait().for_element(Locator::Id("devices")).await.unwrap();
        browser.visit(&format!("{url}/devices")).await;
        browser.check("technician-devices").await;
        browser.click("main table a").await;
        browser.check("technician-device").await;
        for page in ["monitoring", "devices/unknown"] {
            browser.visit(&format!("{url}/{page}")).await;
            browser.check(&format!("technician-{}", page.replace('/', "-"))).await;
        }
        browser.visit(&format!("{url}/alerts/{alert}")).await;
        browser.check("technician-refused").await;
        browser.close().await;
    }

    let technician = scene.signed_in(&scene.stack.technician).await;
    for path in ["/", "/queue/rows", "/live", "/people", "/summary", &format!("/alerts/{alert}")] {
        let (status, page) = technician.page(path).await.unwrap();
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        assert!(!page.contains("kill"), "{path}");
    }
}

/// How a browser looks at a page.
#[derive(Debug, Clone, Copy)]
struct Look {
    name: &'static str,
    size: &'static str,
    /// Blink's number of the colour scheme that the person prefers.
    scheme: u8,
}

const LOOKS: [Look; 4] = [
    Look { name: "wide-light", size: "1280,900", scheme: 1 },
    Look { name: "wide-dark", size: "1280,900", scheme: 0 },
    Look { name: "narrow-light", size: "400,860", scheme: 1 },
    Look { name: "narrow-dark", size: "400,860", scheme: 0 },
];

/// A browser's window, steered by WebDriver.
struct Window {
    client: Client,
    look: Look,
    axe: String,
    driver: Running,
}

impl Window {
    async fn open(look: Look) -> Self {
        let axe =
            std::env::var("REDSHANK_AXE").expect("tests/run says where axe-core is: REDSHANK_AXE");
        let axe = std::fs::read_to_string(axe).unwrap();
        let mut driver = command("chromedriver");
        driver.arg("--port=0");
        let mut driver = Running::start(driver, &std::env::temp_dir().join("chromedriver.log"))
            .await
            .expect("chromedriver: install Debian's chromium-driver");
        let port = loop {
            let line = driver.line().await.unwrap().expect("chromedriver says its port");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        let arguments = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            format!("--window-size={}", look.size),
            format!("--blink-settings=preferredColorScheme={}", look.scheme),
        ]);
        let capabilities = json!({
            "acceptInsecureCerts": true,
            "goog:chromeOptions": { "args": arguments },
        });
        let Value::Object(capabilities) = capabilities else { panic!("an object") };
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        Self { client, look, axe, driver }
    }

    async fn visit(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    async fn sign_in(&self, account: &Account) {
        for (field, text) in [("email", &account.email), ("password", &account.password)] {
            let input = self.client.find(Locator::Id(field)).await.unwrap();
            input.send_keys(text).await.unwrap();
        }
        self.click("main form button").await;
    }

    /// Scrolls to a thing, as a person does, and clicks it.
    async fn click(&self, css: &str) {
        let found = self.client.wait().for_element(Locator::Css(css)).await;
        let found = found.unwrap_or_else(|error| panic!("{css}: {error}"));
        let scroll = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
        let element = serde_json::to_value(&found).unwrap();
        self.client.execute(scroll, vec![element]).await.unwrap();
        found.click().await.unwrap();
    }

    /// No violation of any rule; and a photograph, if one was asked for.
    async fn check(&self, page: &str) {
        self.client.execute(&self.axe, vec![]).await.unwrap();
        let violations = self.client.execute_async(RUN_AXE, vec![]).await.unwrap();
        let place = format!("{page}, {}", self.look.name);
        assert_eq!(violations, json!([]), "{place}");
        // The page must not scroll sideways.
        let wide =
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(self.client.execute(wide, vec![]).await.unwrap(), json!(0), "{place}");
        if let Some(folder) = std::env::var_os("REDSHANK_SCREENSHOTS") {
            let file = PathBuf::from(folder).join(format!("{page}-{}.png", self.look.name));
            std::fs::write(file, self.client.screenshot().await.unwrap()).unwrap();
        }
    }

    async fn close(self) {
        self.client.close().await.unwrap();
        self.driver.kill().await.unwrap();
    }
}
