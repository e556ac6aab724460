//! What the pages say, and what they never do.

use redshank_proto::v1;

use super::{DSL, OTHER_DSL, Raise, TECHNICIAN, World};
use crate::store::alerts::Basis;

const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}";

#[tokio::test]
async fn every_answer_carries_the_policy() {
    let world = World::new().await;
    let alert = world.raise(Raise::default()).await;
    let mut dsl = world.signed_in(DSL).await;
    let mut technician = world.signed_in(TECHNICIAN).await;
    let mut nobody = world.browser();
    let asset = asset(&dsl.get("/").await.body, "console.css");
    for path in [
        "/",
        "/queue/rows",
        "/live",
        "/people",
        "/devices",
        "/account",
        "/sign-in",
        "/sign-out",
        "/nowhere",
        "/healthz",
        "/assets/0/console.js",
        "/assets/0/nothing",
        &asset,
        &format!("/alerts/{alert}"),
        &format!("/devices/{}", world.device),
        "/alerts/%ff",
    ] {
        for browser in [&mut dsl, &mut technician, &mut nobody] {
            let headers = browser.open(path).await.headers().clone();
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none';"), "{path}");
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
            assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
            assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
            assert!(headers["strict-transport-security"].to_str().unwrap().contains("max-age="));
            assert!(headers.contains_key("permissions-policy"), "{path}");
            let kept =
                if path == asset { "public, max-age=31536000, immutable" } else { "no-store" };
            assert_eq!(headers["cache-control"], kept, "{path}");
        }
    }
}

#[tokio::test]
async fn every_page_is_whole_without_inline_script_or_style_and_has_a_title_without_content() {
    let world = World::new().await;
    let alert = world.raise(Raise::default()).await;
    let mut dsl = world.signed_in(DSL).await;
    let mut nobody = world.browser();
    for (path, title) in [
        ("/", "Queue — Redshank"),
        ("/?show=closed", "Queue — Redshank"),
        (&*format!("/alerts/{alert}"), "Alert — Redshank"),
        ("/summary", "Summary — Redshank"),
        ("/monitoring", "Monitoring — Redshank"),
        ("/people", "People — Redshank"),
        ("/devices", "Devices — Redshank"),
        ("/devices/unknown", "Unknown devices — Redshank"),
        (&*format!("/devices/{}", world.device), "Device — Redshank"),
        ("/account", "Your account — Redshank"),
        ("/nowhere", "Redshank"),
        ("/sign-in", "Sign in — Redshank"),
    ] {
        let browser = if path == "/sign-in" { &mut nobody } else { &mut dsl };
        let page = browser.get(path).await.body;
        assert!(page.contains(&format!("<title>{title}</title>")), "{path}");
        for (part, times) in [
            ("<!DOCTYPE html>", 1),
            ("lang=\"en-GB\"", 1),
            ("<main id=\"main\"", 1),
            ("<h1>", 1),
            ("class=\"skip\"", 1),
            ("<header", 1),
            ("</html>", 1),
            ("<script", 1),
            ("<style", 0),
            (" style=", 0),
            (" onclick=", 0),
            ("http://", 0),
        ] {
            assert_eq!(page.matches(part).count(), times, "{part} at {path}");
        }
    }
}

#[tokio::test]
async fn the_queue_shows_the_most_urgent_first_with_who_and_when_and_is_audited() {
    let world = World::new().await;
    let mild = Raise {
        category: "gambling",
        severity: 2,
        priority: 90,
        basis: Basis::AllocatedDevice,
        ..Raise::default()
    };
    let unknown = Raise {
        category: "hate",
        priority: 300,
        basis: Basis::Unknown,
        account: None,
        ..Raise::default()
    };
    world.raise(mild).await;
    world.raise(unknown).await;
    let urgent = world.raise(Raise::default()).await;
    let mut dsl = world.signed_in(DSL).await;
    let page = dsl.get("/").await.body;
    let order = ["Self-harm", "Hate", "Gambling"].map(|category| page.find(category).unwrap());
    assert!(order.is_sorted(), "{order:?}");
    let rows: Vec<&str> = page.split("<tr role=\"row\" data-alert=").skip(1).collect();
    assert!(rows[0].contains(&urgent.to_string()) && rows[0].contains("data-severity=\"4\""));
    assert!(rows[0].contains("<bdi>j.fletcher</bdi>") && !rows[0].contains("possibly"));
    assert!(rows[1].contains("unknown person"));
    assert!(rows[2].contains("possibly") && rows[2].contains("the device is allocated to them"));
    assert!(rows[0].contains(">Saturday 23:40</time>") && rows[0].contains(">today 08:45</time>"));
    assert!(rows[0].contains("33 h late"));
    let fragment = dsl.get("/queue/rows").await.body;
    assert!(fragment.trim().starts_with("<tbody") && fragment.contains(&urgent.to_string()));
    assert!(!fragment.contains("<html"));
    assert_eq!(world.deeds(world.dsl).await, ["queue_viewed", "queue_viewed"]);
}

#[tokio::test]
async fn a_severity_5_that_is_taken_up_keeps_its_place() {
    let world = World::new().await;
    let [mild, grave, gravest] = [("gambling", 1, 40), ("hate", 4, 950), ("suicide", 5, 900)];
    let mut alerts = Vec::new();
    for (category, severity, priority) in [mild, grave, gravest] {
        let raise = Raise { category, severity, priority, ..Raise::default() };
        alerts.push(world.raise(raise).await.to_string());
    }
    let mut dsl = world.signed_in(DSL).await;
    for alert in &alerts[1..] {
        dsl.post(&format!("/alerts/{alert}/acknowledge"), &[("seen", "1")]).await;
    }
    let rows = dsl.get("/queue/rows").await.body;
    let order = [&alerts[2], &alerts[0], &alerts[1]].map(|alert| rows.find(alert).unwrap());
    assert!(order.is_sorted(), "{order:?}");
    // By these the live page knows that a row is news.
    assert!(rows.contains("data-severity=\"5\" data-status=\"acknowledged\" data-count=\"1\""));
    assert!(rows.contains("data-severity=\"1\" data-status=\"open\" data-count=\"1\""));
}

#[tokio::test]
async fn a_queue_that_is_longer_than_its_page_says_so() {
    let world = World::new().await;
    for _ in 0..200 {
        world.raise(Raise::default()).await;
    }
    let least = world.raise(Raise { category: "gambling", priority: 50, ..Raise::default() }).await;
    let mut dsl = world.signed_in(DSL).await;
    for path in ["/", "/queue/rows"] {
        let page = dsl.get(path).await.body;
        assert!(page.contains("More than 200 wait."), "{path}");
        assert_eq!(page.matches(" data-alert=").count(), 200, "{path}");
        assert!(!page.contains(&least.to_string()), "{path}");
    }
    let fields = [("seen", "1"), ("disposition", "duplicate"), ("reason", "the same")];
    dsl.post(&format!("/alerts/{least}/close"), &fields).await;
    let page = dsl.get("/").await.body;
    assert_eq!(page.matches(" data-alert=").count(), 200);
    assert!(!page.contains("More than 200"), "all are shown");
}

#[tokio::test]
async fn an_empty_queue_says_what_it_rests_on() {
    let world = World::new().await;
    let page = world.signed_in(DSL).await.get("/").await.body;
    assert!(page.contains("Nothing waits for you."));
    assert!(page.contains("1 device enrolled, 1 of them not approved yet"), "{page}");
    assert!(page.contains("1 silent for a day or more"));
    let page = world.signed_in(OTHER_DSL).await.get("/").await.body;
    assert!(page.contains("No device has enrolled: nothing is watched yet."));
}

#[tokio::test]
async fn an_alerts_page_shows_what_who_when_and_why_and_its_view_is_audited() {
    let world = World::new().await;
    let context = v1::ContextVisit {
        occurred_at: Some(redshank_proto::time::to_wire("2025-07-12T22:38:00Z".parse().unwrap())),
        address: "https://forum.example/thread".to_owned(),
        title: Some("a thread".to_owned()),
    };
    let alert =
        world.raise(Raise { severity: 5, context: vec![context], ..Raise::default() }).await;
    let mut dsl = world.signed_in(DSL).await;
    let answer = dsl.get(&format!("/alerts/{alert}")).await;
    for part in [
        "how to <mark>hide cuts</mark> from my mum",
        "<bdi>how to hide cuts from my mum - Search</bdi>",
        "<bdi>https://search.example/results</bdi>",
        "Chromium, searched from the address bar",
        "call 999 now",
        "signed in to the device",
        "LIB-LAPTOP-07",
        "Saturday 12 July 2025, 23:40:00 BST",
        "after bedtime",
        "+60",
        "−20",
        "first person",
        "https://forum.example/thread",
        "No monitoring service has graded this alert.",
    ] {
        assert!(answer.body.contains(part), "{part} is not in {}", answer.body);
    }
    assert_eq!(answer.body.matches("Searched for").count(), 1, "the same words stand once");
    for (name, value) in &answer.headers {
        assert!(!value.to_str().unwrap().contains("hide"), "{name}");
    }
    assert_eq!(world.deeds(world.dsl).await, ["alert_viewed"]);
}

#[tokio::test]
async fn what_a_hostile_agent_says_is_text() {
    let world = World::new().await;
    let hostile = || HOSTILE.to_owned();
    let alert = world
        .raise(Raise {
            found: v1::Match {
                rule: hostile(),
                category: hostile(),
                severity: 5,
                place: 99,
                snippet: hostile(),
                start: 5,
                end: u32::MAX,
                reasons: vec![hostile()],
            },
            visit: v1::Visit {
                browser: hostile(),
                profile: hostile(),
                address: format!("javascript:{HOSTILE}"),
                title: Some(hostile()),
                search_terms: Some(hostile()),
                transition: -7,
                private_window: false,
            },
            ..Raise::default()
        })
        .await;
    let mut dsl = world.signed_in(DSL).await;
    for path in ["/".to_owned(), "/queue/rows".to_owned(), format!("/alerts/{alert}")] {
        let page = dsl.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.body.contains("<script>alert"), "{path}");
        assert!(!page.body.contains("href=\"javascript"), "{path}");
        assert!(!page.body.contains("<mark>"), "offsets that cannot be right mark nothing");
    }
    let page = dsl.get(&format!("/alerts/{alert}")).await.body;
    assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"), "it is shown all the same");
}

#[tokio::test]
async fn an_alert_is_taken_up_and_closed_with_a_disposition_and_a_reason() {
    let world = World::new().await;
    let alert = world.raise(Raise::default()).await;
    let mut dsl = world.signed_in(DSL).await;
    let answer = dsl.post(&format!("/alerts/{alert}/acknowledge"), &[("seen", "1")]).await;
    assert_eq!(answer.location(), format!("/alerts/{alert}?done=acknowledged"));
    let page = dsl.get(answer.location()).await.body;
    assert!(page.contains("Taken up by Sam Okafor") && !page.contains("id=\"acknowledge\""));

    let close = format!("/alerts/{alert}/close");
    let long = "x".repeat(2_001);
    for (disposition, reason, problem) in [
        ("", "a reason", "Choose what became of it"),
        ("grade_0", "a reason", "Choose what became of it"),
        ("no_concern", " ", "Give the reason"),
        ("no_concern", &long, "Shorten the reason"),
    ] {
        let fields = [("seen", "1"), ("disposition", disposition), ("reason", reason)];
        let answer = dsl.post(&close, &fields).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains(problem) && answer.body.contains(reason.trim()), "{problem}");
    }
    let reason = "A song: 100 % sure & spoken with <them>, mother’s told";
    let fields = [("seen", "1"), ("disposition", "no_concern"), ("reason", reason)];
    let answer = dsl.post(&close, &fields).await;
    assert_eq!(answer.location(), format!("/alerts/{alert}?done=closed"));
    let page = dsl.get(answer.location()).await.body;
    assert!(page.contains("Closed by Sam Okafor: No concern"));
    assert!(page.contains("spoken with &#60;them&#62;, mother’s told"));
    assert!(!page.contains("id=\"close\""));
    assert_eq!(dsl.post(&close, &fields).await.status, 409);
    assert!(!dsl.get("/").await.body.contains(&alert.to_string()));
    assert!(dsl.get("/?show=closed").await.body.contains(&alert.to_string()));
}

#[tokio::test]
async fn nobody_decides_about_what_arrived_while_they_were_deciding() {
    let world = World::new().await;
    let alert = world.raise(Raise::default()).await;
    let mut dsl = world.signed_in(DSL).await;
    let (page, close) = (format!("/alerts/{alert}"), format!("/alerts/{alert}/close"));
    let shown = "name=\"seen\" value=\"1\"";
    assert_eq!(dsl.get(&page).await.body.matches(shown).count(), 2, "on both forms");
    let grow = "UPDATE alerts SET event_count = event_count + 1, severity = 5";
    world.scratch.vandalise(grow).await;

    let answer = dsl.post(&format!("{page}/acknowledge"), &[("seen", "1")]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("Something new arrived"));
    let kept = [("seen", "1"), ("disposition", "no_concern"), ("reason", "a song she likes")];
    let unfinished = [("seen", "1"), ("disposition", "no_concern"), ("reason", "")];
    for fields in [kept, unfinished] {
        let answer = dsl.post(&close, &fields).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains("Something new arrived"));
        assert!(answer.body.contains("call 999 now"), "what arrived is on the page");
        assert!(answer.body.contains(fields[2].1));
        assert!(answer.body.contains("value=\"no_concern\" required"));
        assert!(answer.body.contains("name=\"seen\" value=\"2\""));
    }
    let deeds = world.deeds(world.dsl).await;
    assert!(deeds.iter().all(|deed| deed == "alert_viewed"), "{deeds:?}");

    let kept = [("seen", "2"), ("disposition", "no_concern"), ("reason", "a song she likes")];
    assert_eq!(dsl.post(&close, &kept).await.status, 303);
    // Whoever is late with an older page still hears that it is closed.
    assert_eq!(dsl.post(&close, &[("seen", "1"), kept[1], kept[2]]).await.status, 409);
}

#[tokio::test]
async fn a_technician_sees_devices_approves_them_and_meets_no_content() {
    let world = World::new().await;
    world.raise(Raise::default()).await;
    let mut technician = world.signed_in(TECHNICIAN).await;
    let list = technician.get("/devices").await.body;
    assert!(list.contains("LIB-LAPTOP-07") && list.contains("1 to approve"));
    let path = format!("/devices/{}", world.device);
    let page = technician.get(&path).await.body;
    assert!(page.contains("It has not reported its sources yet"));
    for page in [&list, &page] {
        for content in ["fletcher", "hide cuts", "Self-harm", "search.example"] {
            assert!(!page.contains(content), "{content}");
        }
    }
    let answer = technician.post(&format!("{path}/approve"), &[]).await;
    assert_eq!((answer.status, answer.location()), (303, &*path));
    assert!(technician.get(&path).await.body.contains(">approved</span>"));
    assert_eq!(technician.post(&format!("{path}/approve"), &[]).await.status, 409);
    assert_eq!(world.deeds(world.technician).await, ["device_approved"]);
}

#[tokio::test]
async fn a_form_past_its_bound_or_in_another_shape_is_refused() {
    let world = World::new().await;
    let alert = world.raise(Raise::default()).await;
    let mut dsl = world.signed_in(DSL).await;
    let huge = "x".repeat(100_000);
    let fields = [("seen", "1"), ("disposition", "no_concern"), ("reason", huge.as_str())];
    assert_eq!(dsl.post(&format!("/alerts/{alert}/close"), &fields).await.status, 400);
    let acknowledge = format!("/alerts/{alert}/acknowledge");
    assert_eq!(dsl.post(&acknowledge, &[]).await.status, 400);
    assert_eq!(dsl.post(&acknowledge, &[("seen", "all")]).await.status, 400);
    assert_eq!(dsl.send("/sign-in", &[("email", &huge), ("password", "x")]).await.status, 400);
    assert_eq!(dsl.post("/notices/read", &[("shown_until", "soon")]).await.status, 400);
    assert_eq!(dsl.send("/", &[]).await.status, 405);
}

fn asset(page: &str, name: &str) -> String {
    let end = page.find(name).unwrap() + name.len();
    let start = page[..end].rfind('"').unwrap() + 1;
    page[start..end].to_owned()
}
