//! What the feed makes of text, logged requests, programs and media.

use redshank_proto::v1::event_payload::Content;
use redshank_proto::v1::{self, AttributionMethod};

use super::*;
use crate::store::assets::tests::{ipad, mac};

#[tokio::test]
async fn every_kind_of_content_goes_out_masked_and_each_client_is_a_device_of_its_own() {
    let mut stage = Stage::new().await;
    let (school, line) = (stage.scene.school, Scope::command_line());
    let log = [ipad("AMYS-IPAD", 1, "amy.jones")];
    let import = stage.scene.scratch.store.write(&line, move |e| e.replace_asset_log(school, &log));
    import.await.unwrap();
    let lease = |n| v1::Evidence {
        method: AttributionMethod::AddressLease as i32,
        value: mac(n),
        authority: String::new(),
    };
    let named = |text: &str| Some(text.to_owned());
    let request = Content::Request(v1::LoggedRequest {
        address: "https://a.example/amy.jones".to_owned(),
        category: named("drugs"),
        reason: named("Amy said so on AMYS-IPAD"),
        search_terms: named("amy jones 02:00:5e:00:53:01"),
        user_agent: named("Amy's iPad"),
        ..v1::LoggedRequest::default()
    });
    let text = Content::Text(v1::PageText {
        address: "https://chat.example/amy".to_owned(),
        title: named("Jones' chat"),
        kind: v1::TextKind::Prompt as i32,
        ..v1::PageText::default()
    });
    let program = Content::Program(v1::Program {
        name: "amy.exe".to_owned(),
        path: named("Users/jones/amy.exe"),
        publisher: named("Jones Ltd"),
        ..v1::Program::default()
    });
    let medium =
        Content::Medium(v1::Medium { name: "AMY".to_owned(), bytes: 16, ..Default::default() });
    for (category, n, content) in [
        ("suicide", 1, request.clone()),
        ("hate", 1, text),
        ("drugs", 1, program),
        ("violence", 1, medium),
        ("suicide", 2, request),
    ] {
        let mut payload = worrying(category, 4);
        (payload.evidence, payload.content) = (vec![lease(n)], Some(content));
        stage.scene.send(&mut stage.laptop, &payload).await;
    }
    stage.scene.triage().await;
    let mut stream = stage.subscribe(&[]).await.unwrap();
    let mut alerts = Vec::new();
    for _ in 0..5 {
        alerts.push(change(&mut stream).await.alert.unwrap());
    }
    for alert in &alerts[..4] {
        let bytes = alert.encode_to_vec().to_ascii_lowercase();
        for secret in ["amy", "jones", "amys-ipad", "02:00:5e", "laptop-0042"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {alert:?}");
        }
        assert!(!alert.person_certain && alert.person_pseudonym == alerts[0].person_pseudonym);
        assert_eq!(alert.device_pseudonym, alerts[0].device_pseudonym);
    }
    assert_eq!(alerts[0].events[0].request.as_ref().unwrap().category.as_deref(), Some("drugs"));
    assert_eq!(alerts[1].events[0].text.as_ref().unwrap().kind(), v1::TextKind::Prompt);
    let program = alerts[2].events[0].program.as_ref().unwrap();
    assert_eq!((program.name.as_str(), program.path.as_deref()), ("***.exe", None));
    assert_eq!(alerts[3].events[0].medium.as_ref().unwrap().bytes, 16);
    assert!(alerts.iter().all(|alert| alert.events[0].visit.is_none()));
    assert_eq!(alerts[4].person_pseudonym, "");
    assert_ne!(alerts[4].device_pseudonym, alerts[0].device_pseudonym);
}
