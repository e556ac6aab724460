//! Passwords, payments, codes, hidden fields, helplines: what is typed there leaves no trace on the device or
//! at the collector, nor in what the extension keeps in the browser.

use std::path::{Component, Path};

use redshank_tests::pages::Pages;
use redshank_tests::watched::Watched;

use super::{Scene, alert_with, holding};
use crate::traces::{Marks, each_file};

/// Each is part of a sentence that would raise an alert, was typed where nothing is read, and is found nowhere.
pub(super) const SECRETS: Marks<'_> = Marks(&[
    "markpassword",
    "markshown",
    "markcode",
    "markcard",
    "4929715400001234",
    "markcvc",
    "markhelpline",
    "markrichhelpline",
    "markmisblocked",
    "markblockedpath",
    "samaritans",
    "childline",
]);
/// Typed where everything is read: whoever looks finds something.
const CONTROL: &str = "markcontrol";
/// Each field, and what somebody says in it.
const FIELDS: [(&str, &[(&str, &str)]); 4] = [
    (
        "http://school-portal.example/sign-in",
        &[
            ("#entry", "i want to kill myself markpassword"),
            ("#show", ""),
            // Of one field the same match is told once: this is another.
            ("#entry", " how can i end my life markshown"),
            ("#code", "i want to kill myself markcode"),
            ("#in", ""),
        ],
    ),
    (
        "http://shop.example/till",
        &[
            ("#name", "i want to kill myself markcard"),
            ("#card", "i want to kill myself 4929715400001234"),
            ("#cvc", "i want to kill myself markcvc"),
        ],
    ),
    (
        "http://www.samaritans.org/chat/",
        &[
            ("#message", "i want to kill myself markhelpline"),
            ("#rich", "i want to kill myself markrichhelpline"),
        ],
    ),
    // Blocked by mistake: the filter answers in the site's name.
    (
        "http://www.childline.org.uk/refused",
        &[("#message", "i want to kill myself markmisblocked")],
    ),
];
/// Blocked by mistake: the filter leads to a page of its own.
const BLOCK_PAGE: &str =
    "http://filter.example/blocked?url=http%3A%2F%2Fwww.childline.org.uk%2Fmarkblockedpath";

/// What a browser keeps by itself of where somebody was and what he did there, under names that are the browser's:
/// everything else in a profile is searched, the extension's own files with it.
const BROWSERS_OWN: [&str; 35] = [
    // Chromium: visits, their icons and ranks; tabs to be opened again, with what stood in them; fields filled in
    // before; sites' permissions and counts; caches.
    "History",
    "History-journal",
    "Favicons",
    "Favicons-journal",
    "Top Sites",
    "Top Sites-journal",
    "Visited Links",
    "Shortcuts",
    "Shortcuts-journal",
    "Network Action Predictor",
    "Network Action Predictor-journal",
    "Sessions",
    "Web Data",
    "Web Data-journal",
    "Preferences",
    "Network",
    "Cache",
    "Code Cache",
    "DIPS",
    "DIPS-journal",
    "DIPS-wal",
    "Site Characteristics Database",
    "segmentation_platform",
    "optimization_guide_hint_cache_store",
    // Firefox: the same.
    "places.sqlite",
    "places.sqlite-wal",
    "permissions.sqlite",
    "favicons.sqlite",
    "favicons.sqlite-wal",
    "formhistory.sqlite",
    "sessionstore.jsonlz4",
    "sessionstore-backups",
    "SiteSecurityServiceState.bin",
    "cache2",
    "bounce-tracking-protection.sqlite",
];

#[tokio::test]
async fn what_is_nobodys_business_leaves_no_trace() {
    let mut scene = Scene::start().await;
    let pages = Pages::serve().await.unwrap();
    let pupil = Watched::chromium(&scene.stack, &scene.profile, &pages).await.unwrap();
    type_secrets(pupil, &scene).await;
    assert_no_trace(&mut scene).await;
    let files = assert_only_browser_s_own(&scene.profile);
    assert!(files.iter().any(|file| file.contains("Local Extension Settings")), "{files:?}");
    assert!(files.iter().any(|file| file.contains("Service Worker")), "{files:?}");
}

/// Types a secret into each field, then the control into an ordinary one, and quits.
pub(super) async fn type_secrets(mut pupil: Watched, scene: &Scene) {
    for (url, fields) in FIELDS {
        pupil.open(url).await.unwrap();
        for (field, text) in fields {
            pupil.type_into(field, text).await.unwrap();
            if !text.is_empty() {
                let content = pupil.content(field).await.unwrap();
                assert!(content.contains(text.trim()), "{field} of {url} took “{content}”");
            }
        }
    }
    pupil.open(BLOCK_PAGE).await.unwrap();
    pupil.open("http://chat.example/chat").await.unwrap();
    pupil.type_into("#message", &format!("i want to kill myself {CONTROL}")).await.unwrap();
    // Everything before it has been dealt with by then.
    let page = alert_with(&scene.dsl().await, CONTROL).await;
    SECRETS.assert_not_in("the alert's page", page.as_bytes());
    pupil.quit().await.unwrap();
}

/// Nothing in spool, wire, store, feed and logs, where the control is.
pub(super) async fn assert_no_trace(scene: &mut Scene) {
    SECRETS.assert_not_in_feed(&scene.stack).await;
    scene.stack.stop().await.unwrap();
    let opened = SECRETS.assert_not_in_stack(&scene.stack).await;
    assert_eq!(holding(&opened.events, CONTROL).len(), 1, "{:#?}", opened.events);
    assert!(opened.cells > 200 && opened.files > 5, "it was looked through: {opened:?}");
}

/// No mark is in a file of the profile but in those that the browser keeps by itself. Returns those looked at.
pub(super) fn assert_only_browser_s_own(profile: &Path) -> Vec<String> {
    let (mut looked_at, mut own, mut found) = (Vec::new(), 0, Vec::new());
    each_file(profile, &mut |path, bytes| {
        let inner = path.strip_prefix(profile).unwrap();
        let is_own = |part: Component<'_>| {
            part.as_os_str().to_str().is_some_and(|name| BROWSERS_OWN.contains(&name))
        };
        let marks = SECRETS.found_in(bytes);
        if inner.components().any(is_own) {
            own += marks.len();
        } else {
            looked_at.push(inner.display().to_string());
            found.extend((!marks.is_empty()).then(|| (inner.to_owned(), marks)));
        }
    });
    assert!(found.is_empty(), "{found:#?}");
    // The helpline's address at least is in the browser's own history: who looks finds.
    assert!(own > 0, "the browser itself has kept nothing: was it this profile?");
    looked_at
}
