//! Who gets which page: the table over every route.

use redshank_proto::clock::System;
use redshank_proto::id::{AlertId, UserId};

use super::{DEPUTY, DSL, OTHER_DSL, PASSWORD, Raise, TECHNICIAN, World};

/// What a form sends.
type Fields = &'static [(&'static str, &'static str)];

/// Every page: its path (`A`, `D`, `U` stand for the world's alert, device, waiting user) and what the DSL and the
/// technician get.
const PAGES: [(&str, u16, u16); 14] = [
    ("/", 200, 403),
    ("/?show=closed", 200, 403),
    ("/queue/rows", 200, 403),
    ("/live", 200, 403),
    ("/alerts/A", 200, 403),
    ("/summary", 200, 403),
    ("/monitoring", 200, 200),
    ("/people", 200, 403),
    ("/devices", 200, 200),
    ("/devices/unknown", 200, 200),
    ("/devices/D", 200, 200),
    ("/account", 200, 200),
    ("/sign-in", 303, 303),
    ("/nowhere", 404, 404),
];

/// Every form: its path, its fields, and what the DSL and the technician get.
const FORMS: [(&str, Fields, u16, u16); 6] = [
    ("/alerts/A/acknowledge", &[("seen", "1")], 303, 403),
    (
        "/alerts/A/close",
        &[("seen", "1"), ("disposition", "no_concern"), ("reason", "a song")],
        303,
        403,
    ),
    ("/people/U/approve", &[], 303, 403),
    ("/devices/D/approve", &[], 403, 303),
    ("/notices/read", &[("shown_until", "0")], 303, 303),
    ("/sign-out", &[], 303, 303),
];

#[tokio::test]
async fn every_page_is_open_to_whom_it_should_be() {
    let world = World::new().await;
    let alert = world.raise(Raise::default()).await;
    let (mut dsl, mut technician) = (world.signed_in(DSL).await, world.signed_in(TECHNICIAN).await);
    let mut nobody = world.browser();
    for (path, for_dsl, for_technician) in PAGES {
        let path = fill(path, &world, alert);
        assert_eq!(dsl.open(&path).await.status(), for_dsl, "DSL at {path}");
        let answer = technician.open(&path).await;
        assert_eq!(answer.status(), for_technician, "technician at {path}");
        let expected = match path.as_str() {
            "/sign-in" => 200,
            "/nowhere" => 404,
            "/queue/rows" | "/live" => 401,
            _ => 303,
        };
        assert_eq!(nobody.open(&path).await.status(), expected, "nobody at {path}");
    }
    assert_eq!(world.deeds(world.technician).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_form_wants_the_role_and_the_sessions_own_token() {
    let world = World::new().await;
    let alert = world.raise(Raise::default()).await;
    let (mut dsl, mut technician) = (world.signed_in(DSL).await, world.signed_in(TECHNICIAN).await);
    let theirs = world.signed_in(OTHER_DSL).await.csrf().await;
    let mut nobody = world.browser();
    let before = world.audit().await.len();
    for (path, fields, for_dsl, for_technician) in FORMS {
        let path = fill(path, &world, alert);
        assert_eq!(nobody.send(&path, fields).await.status, 401, "nobody at {path}");
        for (browser, may) in [(&mut dsl, for_dsl), (&mut technician, for_technician)] {
            let own = browser.csrf().await;
            let short = &own[..62];
            for csrf in ["", "zz", &theirs, short] {
                let mut fields = fields.to_vec();
                fields.push(("csrf", csrf));
                assert_eq!(browser.send(&path, &fields).await.status, 403, "{path} {csrf:?}");
            }
            let refused = if may == 403 { 403 } else { 400 };
            assert_eq!(browser.send(&path, fields).await.status, refused, "{path} without a token");
            let mut fields = fields.to_vec();
            fields.push(("csrf", &own));
            for site in ["cross-site", "same-site", "none"] {
                let headers = [("sec-fetch-site", site)];
                let answer = browser.send_with(&path, &fields, &headers).await;
                assert_eq!(answer.status, 403, "{path} from {site}");
            }
            let headers = [("origin", "https://evil.example")];
            assert_eq!(browser.send_with(&path, &fields, &headers).await.status, 403, "{path}");
        }
    }
    assert_eq!(world.audit().await.len(), before, "none of it did anything");
    for (path, fields, for_dsl, for_technician) in FORMS {
        let path = fill(path, &world, alert);
        assert_eq!(technician.post(&path, fields).await.status, for_technician, "{path}");
        assert_eq!(dsl.post(&path, fields).await.status, for_dsl, "{path}");
    }
}

#[tokio::test]
async fn signing_in_is_refused_to_other_sites() {
    let world = World::new().await;
    let mut browser = world.browser();
    let form = [("email", DSL), ("password", PASSWORD)];
    let headers = [("sec-fetch-site", "cross-site")];
    assert_eq!(browser.send_with("/sign-in", &form, &headers).await.status, 403);
    let headers = [("origin", "https://console.example")];
    assert_eq!(browser.send_with("/sign-in", &form, &headers).await.status, 303);
}

#[tokio::test]
async fn an_alert_of_another_school_or_about_its_reader_is_as_if_it_were_not() {
    let world = World::new().await;
    let alert = world.raise(Raise::default()).await;
    let about_dsl = world.raise_for(Raise::default(), vec![]).await;
    let mut dsl = world.signed_in(DSL).await;
    let mut other = world.signed_in(OTHER_DSL).await;
    let nothing = dsl.get(&format!("/alerts/{}", AlertId::draw(&System))).await;
    assert_eq!(nothing.status, 404);
    for (browser, id) in [(&mut other, alert), (&mut dsl, about_dsl)] {
        let answer = browser.get(&format!("/alerts/{id}")).await;
        assert_eq!((answer.status, &answer.body), (404, &nothing.body));
        for form in ["acknowledge", "close"] {
            let fields = [("seen", "1"), ("disposition", "no_concern"), ("reason", "a song")];
            let answer = browser.post(&format!("/alerts/{id}/{form}"), &fields).await;
            assert_eq!((answer.status, &answer.body), (404, &nothing.body));
        }
        assert!(!browser.get("/").await.body.contains(&id.to_string()));
    }
    let device = other.get(&format!("/devices/{}", world.device)).await;
    assert_eq!((device.status, &device.body), (404, &nothing.body));
    assert_eq!(dsl.get("/alerts/no-id").await.status, 404);
    assert_eq!(world.deeds(world.other_dsl).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_granted_role_is_approved_by_another_and_everybody_is_told() {
    let world = World::new().await;
    let alert = world.raise(Raise::default()).await;
    let mut dsl = world.signed_in(DSL).await;
    let people = dsl.get("/people").await.body;
    assert!(people.contains("Priya Lowe was given the role of Designated Safeguarding Lead"));
    assert!(people.contains("Waiting for approval"));
    assert!(dsl.get("/").await.body.contains("Priya Lowe was given the role"));

    let nobody = UserId::draw(&System);
    for (who, expected) in [(nobody, 404), (world.other_dsl, 404), (world.technician, 409)] {
        let path = format!("/people/{who}/approve");
        assert_eq!(dsl.post(&path, &[]).await.status, expected, "{who}");
    }
    let approve = format!("/people/{}/approve", world.deputy);
    assert_eq!(world.signed_in(OTHER_DSL).await.post(&approve, &[]).await.status, 404);
    assert_eq!(dsl.post(&approve, &[]).await.status, 303);
    assert_eq!(dsl.post(&approve, &[]).await.status, 409);
    assert!(world.deeds(world.dsl).await.contains(&"user_approved".to_owned()));

    let mut deputy = world.signed_in(DEPUTY).await;
    assert_eq!(deputy.get(&format!("/alerts/{alert}")).await.status, 200, "what waits is open");
    let page = dsl.get("/people").await.body;
    assert!(!page.contains("Waiting for approval"));
    let (_, rest) = page.split_once("name=\"shown_until\" value=\"").unwrap();
    let shown_until = rest.split('"').next().unwrap().to_owned();
    dsl.post("/notices/read", &[("shown_until", &shown_until)]).await;
    assert!(!dsl.get("/people").await.body.contains("was given the role"));
}

fn fill(path: &str, world: &World, alert: AlertId) -> String {
    path.replace('A', &alert.to_string())
        .replace('D', &world.device.to_string())
        .replace('U', &world.deputy.to_string())
}
