//! The attacks, by a click each.

use std::collections::HashSet;

use playground::{Attack, GROUPS, LIMITS, Result};

use crate::browser::Browser;

#[test]
fn every_attack_has_a_name_of_its_own() {
    let attacks: Vec<&Attack> = GROUPS.iter().chain([&LIMITS]).flat_map(|group| group.attacks).collect();
    let names: HashSet<&str> = attacks.iter().map(|attack| attack.name).collect();
    let tried: HashSet<&str> = attacks.iter().map(|attack| attack.tried).collect();
    assert!(attacks.len() >= 30);
    assert_eq!((names.len(), tried.len()), (attacks.len(), attacks.len()));
    assert!(attacks.iter().all(|attack| !attack.clauses.is_empty()));
}

#[tokio::test]
async fn each_attack_is_refused_at_a_click_and_the_page_says_why() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    browser.become_device(1280, "light").await?;
    let mut played = 0;
    for attack in GROUPS.iter().flat_map(|group| group.attacks) {
        let item = format!("#attack-{}", attack.name);
        browser.click(&format!("{item} button")).await?;
        browser.wait_for(&format!("{item}[data-state=refused] .pill.refused")).await?;
        let shown = browser.text(&item).await?;
        assert!(shown.contains(attack.rule), "{shown}");
        for clause in attack.clauses {
            assert!(shown.contains(clause), "{shown}");
        }
        // The operator's reason is in the log of the attack itself.
        let reason = browser.text(&format!("{item} .facts dd:nth-of-type(2)")).await?;
        assert!(reason.len() > 5 && reason != "nothing", "{}: {reason}", attack.name);
        assert!(shown.contains(&format!("reason=\"{reason}\"")), "{shown}");
        played += 1;
        assert!(browser.text("#score").await?.starts_with(&format!("{played} of ")));
        let said = browser.see("document.getElementById('live').textContent").await?;
        assert!(said.as_str().is_some_and(|said| said.contains(attack.tried)), "{said}");
    }
    browser.picture("attacks-1280-light").await?;
    browser.close().await
}

#[tokio::test]
async fn what_pkce_lets_pass_is_shown_with_and_without_what_stops_it() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    for limit in LIMITS.attacks {
        let item = format!("#attack-{}", limit.name);
        browser.click(&format!("{item} button")).await?;
        browser.wait_for(&format!("{item}[data-state=passed] .pill.passed")).await?;
        let shown = browser.text(&item).await?;
        assert!(shown.contains("Passes PKCE") && shown.contains(limit.rule), "{shown}");
        assert!(shown.contains("by PKCE alone 200") && shown.contains("compared: "), "{shown}");
    }
    // They do not count as refused.
    assert!(browser.text("#score").await?.starts_with("0 of "));
    browser.close().await
}

#[tokio::test]
async fn all_are_played_at_one_click_on_a_phone() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    browser.become_device(390, "dark").await?;
    browser.click("#play-all").await?;
    let all: usize = GROUPS.iter().map(|group| group.attacks.len()).sum();
    browser.wait_for("#limits .attacks > [data-state=passed]:last-child").await?;
    let refused = browser.see("document.querySelectorAll('.attacks > [data-state=refused]').length").await?;
    assert_eq!(refused, all);
    let score = format!("{all} of {all} refused");
    assert_eq!(browser.text("#score").await?, score);
    browser.wait_for("#play-all:not([aria-disabled])").await?;
    assert_eq!(browser.see("document.getElementById('live').textContent").await?, score);
    browser.picture("attacks-390-dark").await?;
    browser.close().await
}

#[tokio::test]
async fn the_keyboard_alone_plays_an_attack_and_opens_its_requests() -> Result<()> {
    let Some(browser) = Browser::open().await? else { return Ok(()) };
    browser.tab_to("The attacks").await?;
    browser.press(thirtyfour::Key::Enter).await?;
    browser.tab_to("Play all").await?;
    browser.tab_to("Play").await?;
    browser.press(thirtyfour::Key::Enter).await?;
    browser.wait_for("#attack-no-verifier[data-state=refused]").await?;
    // The focus has stayed where it was, and what came is next.
    assert_eq!(browser.see("document.activeElement.id").await?, "no-verifier-play");
    browser.press(thirtyfour::Key::Tab).await?;
    browser.press(thirtyfour::Key::Space).await?;
    browser.wait_for("#attack-no-verifier .outcome:not([open])").await?;
    browser.close().await
}
