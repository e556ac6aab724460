//! The same in Firefox, into which an extension can be installed until it quits.

use redshank_tests::browser::Browser;
use redshank_tests::pages::Pages;
use redshank_tests::watched::Watched;

use super::secrets::{assert_no_trace, assert_only_browser_s_own, type_secrets};
use super::{
    Scene, alert_with, assert_each_once, covered, events, holding, search_watch_type_and_ask,
    visit, wait_for_history,
};

#[tokio::test]
async fn what_a_pupil_does_in_firefox_is_seen_once_in_private_windows_too() {
    let mut scene = Scene::start().await;
    let pages = Pages::serve().await.unwrap();
    let mut pupil = Watched::firefox(&scene.stack, &scene.profile, &pages, true).await.unwrap();
    search_watch_type_and_ask(&mut pupil, &scene).await;
    covered(&scene, "Firefox extension", true).await;
    pupil.private_window().await.unwrap();
    pupil.open("http://www.google.com/search?q=how+to+kill+myself+markprivate").await.unwrap();
    alert_with(&scene.dsl().await, "markprivate").await;
    pupil.quit().await.unwrap();

    let history = Browser::firefox().unwrap().history_file(&scene.profile);
    wait_for_history(&scene, &history).await;
    scene.stack.stop().await.unwrap();
    let events = events(&scene.stack).await;
    assert_each_once(&events);
    let [private] = holding(&events, "markprivate")[..] else { panic!("{events:#?}") };
    assert!(visit(private).unwrap().private_window);
}

#[tokio::test]
async fn what_is_nobodys_business_leaves_no_trace_in_firefox() {
    let mut scene = Scene::start().await;
    let pages = Pages::serve().await.unwrap();
    let pupil = Watched::firefox(&scene.stack, &scene.profile, &pages, false).await.unwrap();
    type_secrets(pupil, &scene).await;
    assert_no_trace(&mut scene).await;
    assert_only_browser_s_own(&scene.profile);
}

#[tokio::test]
async fn coverage_says_that_firefox_s_private_windows_are_not_covered() {
    let scene = Scene::start().await;
    let pages = Pages::serve().await.unwrap();
    let pupil = Watched::firefox(&scene.stack, &scene.profile, &pages, false).await.unwrap();
    covered(&scene, "Firefox extension", false).await;
    pupil.quit().await.unwrap();
}
