//! Who does without a mouse, without seeing, or without movement.

use playground::Result;
use serde_json::json;

use crate::browser::Browser;
use crate::flow;

/// WCAG 2.2, 2.4.7 and 2.4.11.
#[tokio::test]
async fn wherever_the_focus_goes_it_is_seen() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    browser.click("#no-verifier-play").await?;
    browser.wait_for("#attack-no-verifier[data-state=refused]").await?;
    for scheme in ["light", "dark"] {
        browser.become_device(360, scheme).await?;
        browser.see("document.activeElement.blur()").await?;
        let mut stops = 0;
        loop {
            browser.press(thirtyfour::Key::Tab).await?;
            let stop = browser.see(STOP).await?;
            if stop["tag"] == "BODY" || stop["known"] == true {
                break;
            }
            assert_eq!((&stop["ring"], &stop["seen"]), (&json!(true), &json!(true)), "{scheme}: {stop}");
            stops += 1;
        }
        assert!(stops > 30, "{scheme}: {stops}");
        browser.see("document.querySelectorAll('[data-known]').forEach((stop) => delete stop.dataset.known)").await?;
    }
    browser.close().await
}

/// The element with the focus: whether it has a ring, of 3 to 1 against what is around it, and is on the screen.
const STOP: &str = r"(() => {
    const stop = document.activeElement;
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(stop);
    const box = stop.getBoundingClientRect();
    const known = 'known' in stop.dataset;
    stop.dataset.known = '';
    const light = (color) => color.match(/[\d.]+/g).slice(0, 3).map((c) => c / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, nth) => sum + c * [0.2126, 0.7152, 0.0722][nth], 0.05);
    const [ring, ground] = [light(outlineColor), light(getComputedStyle(document.body).backgroundColor)];
    return {
        tag: stop.tagName, id: stop.id, text: stop.textContent.trim().slice(0, 40), known,
        ring: outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2 && Math.max(ring / ground, ground / ring) >= 3,
        seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.left >= 0 && box.right <= innerWidth,
    };
})()";

#[tokio::test]
async fn whoever_hears_the_page_finds_the_way() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    // No heading skips a level, and the first is the only one of its kind.
    let levels = browser.see("[...document.querySelectorAll('h1, h2, h3, h4')].map((h) => +h.tagName[1])").await?;
    let levels: Vec<u64> = levels.as_array().unwrap().iter().filter_map(serde_json::Value::as_u64).collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(levels[0] == 1 && levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    // Every button says what it does, and no two the same.
    let mut names = browser.names("button").await?;
    assert!(names.iter().all(|name| name.len() > 3), "{names:?}");
    assert!(names.iter().any(|name| name == "Play A stolen code without a verifier"), "{names:?}");
    let count = names.len();
    names.sort();
    names.dedup();
    assert!(count > 30 && names.len() == count, "{names:?}");
    // What happens is said, and the step that comes next is named as the current one.
    browser.click("#step-verifier button").await?;
    browser.wait_for_step("challenge", "current").await?;
    assert_eq!(browser.text("#step-challenge[aria-current=step] h3").await?, "Code challenge");
    assert_eq!(browser.see("document.querySelector('[role=status]').textContent").await?, "Code verifier: done.");
    browser.close().await
}

#[tokio::test]
async fn nothing_moves() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    flow::go_to_sign_in(&browser).await?;
    assert_eq!(browser.see(MOVING).await?, json!([]));
    flow::sign_in(&browser).await?;
    assert_eq!(browser.see(MOVING).await?, json!([]));
    browser.close().await
}

/// What has a transition or an animation, or scrolls smoothly.
const MOVING: &str = r"[...document.querySelectorAll('*')].filter((element) => {
    const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
    return transitionDuration !== '0s' || animationName !== 'none' || scrollBehavior !== 'auto';
}).map((element) => element.outerHTML.slice(0, 80))";
