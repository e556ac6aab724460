//! Logs as proxies write them and logrotate treats them, followed by the running source.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use redshank_agent::observation::{Content, Evidence, Source};
use redshank_agent::sources::State;
use redshank_proto::clock::{Clock as _, System};

use super::host::{Host, Kept, Later, degraded, seconds, target, url};

#[tokio::test]
async fn a_line_becomes_a_request_with_its_evidence() {
    let mut host = Host::new();
    host.write_lease("a4:b1:c1:00:05:01");
    host.request(0, "SCHOOL\\\\amy");
    host.write(&format!(
        "{}.5 3 192.168.4.17 TCP_DENIED/407 9 GET http://a.example/ - NONE/- -\n",
        seconds()
    ));
    let mut running = host.start(&Kept::default());
    let seen = running.next(1).await.remove(0);
    assert_eq!(seen.source, Source::ProxyLog);
    assert_eq!(
        seen.evidence,
        [
            Evidence::ProxyUser { name: "amy".to_owned(), authority: "SCHOOL".to_owned() },
            Evidence::Lease { mac: "a4:b1:c1:00:05:01".to_owned() },
            Evidence::ClientAddress("192.168.4.17".parse().unwrap()),
        ]
    );
    assert!(running.rest().await.is_empty(), "to be asked for a login is no request");
    running.stop().await;
}

#[tokio::test]
async fn a_name_server_s_queries_are_told_once_they_are_explained() {
    let mut host = Host::new();
    host.settings.logs[0].format = "dnsmasq".to_owned();
    host.settings.logs[0].zone = TimeZone::UTC;
    let mut running = host.start(&Kept::default());
    running.state(|state| degraded(state, "DNS sees no pages")).await;
    let time = System.now().strftime("%b %e %H:%M:%S").to_string();
    host.write(&format!("{time} dnsmasq[7]: query[A] blocked.example from 192.168.4.17\n"));
    host.write(&format!("{time} dnsmasq[7]: config blocked.example is 0.0.0.0\n"));
    host.write(&format!("{time} dnsmasq[7]: query[A] a.example from 192.168.4.17\n"));
    let seen = running.next(2).await;
    let hosts: Vec<_> = seen.iter().map(target).collect();
    assert_eq!(hosts, ["blocked.example", "a.example"]);
    assert_eq!(seen[0].source, Source::DnsLog);
    running.stop().await;
}

#[tokio::test]
async fn every_rotation_is_followed_while_the_proxy_writes() {
    let mut host = Host::new();
    let mut running = host.start(&Kept::default());
    running.state(|state| *state == State::Ok).await;
    let mut written = 0;
    let mut write = |host: &mut Host, lines: usize| {
        for _ in 0..lines {
            host.request(written, "-");
            written += 1;
        }
        written
    };
    for round in 0..12 {
        let so_far = write(&mut host, 7);
        match round % 4 {
            0 => {
                host.rename();
                // The proxy has not been told yet.
                write(&mut host, 2);
                host.reopen();
            }
            1 => {
                running.until(&url(so_far - 1)).await;
                host.copy_and_empty();
            }
            2 => host.compress(),
            _ => {
                host.write(&format!("{}.1 9 192.168.4.17 TCP_MI", seconds()));
                running.until(&url(so_far - 1)).await;
                host.write(&format!("SS/200 9 GET {} - HIER_DIRECT/- text/html\n", url(1_000_000)));
            }
        }
    }
    let written = write(&mut host, 1);
    running.until(&url(written - 1)).await;
    let mut seen = running.seen.clone();
    seen.retain(|url| *url != self::url(1_000_000));
    assert_eq!(seen, (0..written).map(url).collect::<Vec<_>>());
    assert!(running.rest().await.is_empty());
    running.stop().await;
}

#[tokio::test]
async fn an_agent_that_was_away_or_died_goes_on_where_it_stood() {
    let mut host = Host::new();
    let (mut kept, mut seen, mut written) = (Kept::default(), Vec::new(), 0);
    for round in 0..6 {
        for _ in 0..40 {
            host.request(written, "-");
            written += 1;
        }
        let mut running = host.start(&kept);
        if round % 2 == 0 {
            seen.extend(running.next(40).await.iter().map(target));
            kept = running.stop().await;
            host.rename();
            host.reopen();
            host.request(written, "-");
            written += 1;
            host.compress();
        } else {
            // Nothing is received, hence nothing kept: the next one brings it.
            running.crash().await;
            let mut running = host.start(&kept);
            seen.extend(running.next(41).await.iter().map(target));
            kept = running.crash().await;
            host.copy_and_empty();
        }
    }
    let expected: Vec<_> = (0..written).map(url).collect();
    let mut running = host.start(&kept);
    seen.extend(running.rest().await.iter().map(target));
    assert_eq!(seen, expected);
    running.stop().await;
}

#[tokio::test]
async fn what_nobody_kept_is_told_as_missed_in_its_place() {
    let mut host = Host::new();
    host.request(0, "-");
    let mut running = host.start(&Kept::default());
    running.next(1).await;
    let kept = running.stop().await;
    host.request(1, "-");
    host.empty();
    host.request(2, "-");
    let mut running = host.start(&kept);
    let seen = running.next(2).await;
    assert!(matches!(seen[0].content, Content::Missed(missed) if missed.count == 0));
    assert_eq!(target(&seen[1]), url(2));
    running.state(|state| degraded(state, "lines were lost when it was rotated")).await;
    running.stop().await;
}

#[tokio::test]
async fn lines_that_are_not_understood_are_told_by_offset_and_shape_and_by_nothing_else() {
    let mut host = Host::new();
    host.request(0, "-");
    let offset = fs::metadata(host.log()).unwrap().len();
    host.write("what the pupil typed \u{1F600} stays secret\n");
    host.bytes(b"\xff\xfe\n");
    host.write(&format!("{}\n", "y".repeat(300_000)));
    host.request(1, "-");
    let mut running = host.start(&Kept::default());
    let seen: Vec<_> = running.next(2).await.iter().map(target).collect();
    assert_eq!(seen, [url(0), url(1)]);
    let expected = format!("2 lines not understood, first at offset {offset}: ");
    let told = running.state(|state| degraded(state, &expected)).await;
    let State::Degraded(why) = told else { unreachable!() };
    assert!(why.contains("1 line too long to read"), "{why}");
    for word in ["what", "pupil", "secret", "yyy"] {
        assert!(!why.contains(word), "{why}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_log_that_is_not_there_is_told_and_found_when_it_appears() {
    let mut host = Host::new();
    fs::remove_file(host.log()).unwrap();
    let mut running = host.start(&Kept::default());
    let told = running.state(|state| matches!(state, State::Blind(_))).await;
    assert!(matches!(told, State::Blind(why) if why.contains("check its path in agent.toml")));
    host.reopen();
    host.request(0, "-");
    assert_eq!(target(&running.next(1).await[0]), url(0));
    running.state(|state| *state == State::Ok).await;
    running.stop().await;
}

#[tokio::test]
async fn a_log_that_does_not_grow_is_told() {
    let mut host = Host::new();
    host.settings.poll = Some(Duration::from_millis(50));
    let clock = Arc::new(Later::default());
    let mut running = host.start_with(&Kept::default(), clock.clone());
    running.state(|state| *state == State::Ok).await;
    clock.pass(31);
    running.state(|state| degraded(state, "it has not grown for 30 minutes")).await;
    host.request(0, "-");
    running.next(1).await;
    running.state(|state| *state == State::Ok).await;
    running.stop().await;
}

#[tokio::test]
async fn what_was_before_the_enrolment_or_is_of_other_clients_is_left_alone() {
    let mut host = Host::new();
    host.settings.logs[0].clients = vec!["192.168.4.0/24".parse().unwrap()];
    let early = (host.settings.since - 1.second()).as_second();
    host.write(&format!(
        "{early}.1 9 192.168.4.17 TCP_MISS/200 9 GET {} - HIER_DIRECT/- -\n",
        url(0)
    ));
    host.write(&format!(
        "{}.1 9 10.0.0.1 TCP_MISS/200 9 GET {} - HIER_DIRECT/- -\n",
        seconds(),
        url(1)
    ));
    host.request(2, "-");
    let mut running = host.start(&Kept::default());
    assert_eq!(target(&running.next(1).await[0]), url(2));
    assert!(running.rest().await.is_empty());
    running.stop().await;
}

#[tokio::test]
async fn a_backlog_comes_in_bounded_batches_and_in_order() {
    const LINES: usize = 5_000;
    let mut host = Host::new();
    for number in 0..LINES {
        host.request(number, "-");
    }
    let mut running = host.start(&Kept::default());
    let seen: Vec<_> = running.next(LINES).await.iter().map(target).collect();
    assert_eq!(seen, (0..LINES).map(url).collect::<Vec<_>>());
    running.stop().await;
}

#[tokio::test]
async fn a_technician_s_link_is_followed_and_another_in_its_folder_is_not() {
    let mut host = Host::new();
    let secret = host.folder.path().join("secret");
    fs::write(&secret, "secret\n").unwrap();
    std::os::unix::fs::symlink(&secret, host.log().with_file_name("access.log.1")).unwrap();
    let named = host.folder.path().join("named");
    std::os::unix::fs::symlink(host.log(), &named).unwrap();
    host.settings.logs[0].path = named;
    let mut running = host.start(&Kept::default());
    running.state(|state| *state == State::Ok).await;
    host.request(0, "-");
    assert_eq!(target(&running.next(1).await[0]), url(0));
    running.state(|state| *state == State::Ok).await;
    running.stop().await;
}
