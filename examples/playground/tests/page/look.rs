//! How the page looks: on a phone and on a desk, light and dark.

use playground::Result;

use crate::browser::Browser;
use crate::flow;

#[tokio::test]
async fn nothing_sticks_out_or_is_faint_at_any_width_in_either_scheme() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    for (width, scheme) in
        [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark"), (360, "light"), (320, "dark")]
    {
        browser.become_device(width, scheme).await?;
        browser.driver.goto(&browser.playground.origin).await?;
        fits(&browser, width, &format!("start-{width}-{scheme}")).await?;
        flow::go_to_sign_in(&browser).await?;
        fits(&browser, width, &format!("sign-in-{width}-{scheme}")).await?;
        flow::sign_in(&browser).await?;
        browser.click("#step-token button").await?;
        browser.wait_for_step("resource", "current").await?;
        browser.click("#step-resource button").await?;
        browser.wait_for_step("resource", "done").await?;
        browser.click("#fifty-at-once-play").await?;
        browser.wait_for("#attack-fifty-at-once[data-state=refused]").await?;
        browser.click("#session-fixation-play").await?;
        browser.wait_for("#attack-session-fixation[data-state=passed]").await?;
        fits(&browser, width, &format!("page-{width}-{scheme}")).await?;
        browser.see("document.querySelectorAll('details').forEach((details) => { details.open = true; })").await?;
        fits(&browser, width, &format!("page-{width}-{scheme}-open")).await?;
        browser.click("#start-over").await?;
    }
    browser.close().await
}

/// No wider than the screen, and every text can be read; a picture of it is kept.
pub(crate) async fn fits(browser: &Browser, width: u32, name: &str) -> Result<()> {
    browser.picture(name).await?;
    let seen = browser.see("[document.documentElement.scrollWidth, window.innerWidth]").await?;
    assert!(seen[0].as_u64() <= Some(width.into()) && seen[1] == width, "{name}: {seen}");
    let faint = browser.see(FAINT).await?;
    assert_eq!(faint, serde_json::json!([]), "{name}");
    Ok(())
}

/// The texts without a contrast of 4.5 to 1 (WCAG 2.2, 1.4.3).
const FAINT: &str = r"(() => {
    const channels = (color) => color.match(/[\d.]+/g).map(Number);
    const luminance = (color) => channels(color).slice(0, 3)
        .map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, nth) => sum + c * [0.2126, 0.7152, 0.0722][nth], 0);
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = getComputedStyle(at).backgroundColor;
            if (channels(color)[3] !== 0) return color;
        }
        return getComputedStyle(document.body).backgroundColor;
    };
    const faint = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.closest('.skip')) continue;
        const [a, b] = [luminance(getComputedStyle(element).color), luminance(ground(element))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} ${texts.currentNode.data.trim()}`);
    }
    return faint;
})()";
