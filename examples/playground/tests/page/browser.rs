//! A browser on the page.

use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fs, thread};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkce_test_servers::ChromeDriver;
use playground::Result;
use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::program::Playground;

/// How long anything on the page may take: it shares two cores with the other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser, and the playground that it looks at.
pub(crate) struct Browser {
    pub(crate) driver: WebDriver,
    pub(crate) playground: Playground,
    _chrome: ChromeDriver,
}

impl Browser {
    /// Opens the page; `None` if this machine has no Chromium.
    pub(crate) async fn open() -> Result<Option<Self>> {
        let Some(chrome) = ChromeDriver::start() else { return Ok(None) };
        let playground = Playground::serve();
        let mut wanted = DesiredCapabilities::chrome();
        for argument in chrome.arguments() {
            wanted.add_arg(&argument)?;
        }
        wanted.set("goog:loggingPrefs", json!({ "browser": "ALL" }))?;
        let driver = WebDriver::new(chrome.url(), wanted).await?;
        // It ends with its chromedriver, also if the test fails: what the crate would do then blocks for minutes.
        driver.clone().leak()?;
        driver.goto(&playground.origin).await?;
        Ok(Some(Self { driver, playground, _chrome: chrome }))
    }

    /// Presses keys, one after the other.
    pub(crate) async fn press(&self, keys: impl Into<TypingData>) -> Result<()> {
        Ok(self.driver.action_chain().send_keys(keys).perform().await?)
    }

    /// Goes on with the tabulator until the element with this text has the focus.
    pub(crate) async fn tab_to(&self, text: &str) -> Result<()> {
        for _ in 0..40 {
            self.press(Key::Tab).await?;
            if self.see("document.activeElement.textContent.trim()").await? == text {
                return Ok(());
            }
        }
        Err(format!("the tabulator does not lead to {text:?}").into())
    }

    /// What an expression says.
    pub(crate) async fn see(&self, expression: &str) -> Result<Value> {
        Ok(self.driver.execute(format!("return {expression}"), Vec::new()).await?.json().clone())
    }

    /// The text that can be seen in what a selector finds.
    pub(crate) async fn text(&self, selector: &str) -> Result<String> {
        Ok(self.driver.find(By::Css(selector)).await?.text().await?)
    }

    /// What assistive technology calls everything of a role.
    pub(crate) async fn names(&self, role: &str) -> Result<Vec<String>> {
        let tree = self.driver.cdp().send_raw("Accessibility.getFullAXTree", json!({})).await?;
        let nodes = tree["nodes"].as_array().ok_or("no tree")?.iter().filter(|node| node["role"]["value"] == role);
        Ok(nodes.map(|node| node["name"]["value"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Waits until there is something that a selector finds.
    pub(crate) async fn wait_for(&self, selector: &str) -> Result<()> {
        let began = Instant::now();
        while self.see(&format!("document.querySelector({}) === null", json!(selector))).await? != false {
            if began.elapsed() > PATIENCE {
                let page = self.text("body").await?;
                return Err(format!("there is no {selector}:\n{page}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Waits until a step of the flow is in a state.
    pub(crate) async fn wait_for_step(&self, step: &str, state: &str) -> Result<()> {
        self.wait_for(&format!("#step-{step}[data-state={state}]")).await
    }

    /// Clicks.
    pub(crate) async fn click(&self, selector: &str) -> Result<()> {
        Ok(self.driver.find(By::Css(selector)).await?.click().await?)
    }

    /// As wide as a device, and light or dark.
    pub(crate) async fn become_device(&self, width: u32, scheme: &str) -> Result<()> {
        let size = json!({ "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", size).await?;
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await?;
        Ok(())
    }

    /// Keeps a picture of the whole page.
    pub(crate) async fn picture(&self, name: &str) -> Result<()> {
        let size = self.see("[document.documentElement.clientWidth, document.documentElement.scrollHeight]").await?;
        // Pictures of more than that come out empty.
        let clip =
            json!({ "x": 0, "y": 0, "width": size[0], "height": size[1].as_u64().unwrap().min(16_000), "scale": 1 });
        let picture = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let taken = self.driver.cdp().send_raw("Page.captureScreenshot", picture).await?;
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("playground");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{name}.png")), STANDARD.decode(taken["data"].as_str().unwrap())?)?;
        Ok(())
    }

    /// The console has stayed empty.
    pub(crate) async fn close(self) -> Result<()> {
        let log = self.driver.get_log("browser").await?;
        let lines: Vec<String> = log.into_iter().map(|line| format!("{} {}", line.level, line.message)).collect();
        assert!(lines.is_empty(), "in the console:\n{}", lines.join("\n"));
        Ok(())
    }
}
