//! A real Squid with devices behind it, its log rotated in every way while it is in use, the agent killed in
//! the middle: every request that the log kept is in the collector once, with the right basis of attribution.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use redshank_proto::v1::event_payload::Content;
use redshank_proto::v1::{AttributionMethod, EventPayload, FilterAction};
use redshank_tests::programs::{Programs, command, succeed};
use redshank_tests::script::Step;
use redshank_tests::site::Site;
use redshank_tests::squid::{Squid, ask, device};
use redshank_tests::stack::{SCHOOL, Stack};

use super::scene::{Scene, alert_with, browser, eventually};
use super::traces::{Marks, events};

const IPAD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
const LAPTOP: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 20);
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 30);
const MAC: &str = "a4:b1:c1:00:05:09";
const USER_AGENT: &str = "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                          Version/18.1 Mobile/15E148 Safari/604.1";
/// `amy:x`, as a browser sends it.
const AMY: &str = "YW15Ong=";
const PAGES: usize = 30;
/// Hosts beside the lessons'. The helplines are on the private list; one of them is misblocked.
const HOSTS: [&str; 6] = [
    "start.example",
    "search.example",
    "alpha.example",
    "proxies.example",
    "www.childline.org.uk",
    "www.samaritans.org",
];
const FILTERED: [&str; 2] = ["proxies.example", "www.samaritans.org"];
/// In helplines' addresses, and in a query string: each found nowhere.
const SECRETS: [&str; 5] = ["samaritans", "childline", "how-we-can-help", "session=8f3a", "8f3a"];

/// Who asked for what, and whether it was blocked.
type Asked = (String, String, bool);

#[tokio::test]
async fn every_request_that_the_log_kept_is_one_event_with_its_basis() {
    let lessons: Vec<_> = (0..PAGES).map(|n| format!("lesson{n:02}.example")).collect();
    let hosts: Vec<_> = HOSTS.into_iter().chain(lessons.iter().map(String::as_str)).collect();
    let squid = Squid::start(&hosts, &FILTERED).await.unwrap();
    let mut scene = behind(&squid).await;

    let mut site = Site::serve(script(&lessons)).await.unwrap();
    let port = device(IPAD, squid.open).await.unwrap();
    let arguments =
        [format!("--proxy-server=http://127.0.0.1:{port}"), format!("--user-agent={USER_AGENT}")];
    let (profile, log) = (scene.stack.folder().join("ipad"), scene.stack.folder().join("ipad.log"));
    let start = site.start();
    let port = url::Url::parse(&start).unwrap().port().unwrap();
    let safari = browser().start_with(&arguments, &profile, &start, &log).await.unwrap();

    for step in 0..PAGES + 2 {
        site.give_turn();
        let visited = site.visited().await.expect("the iPad goes on");
        assert_eq!(visited.step, step);
        others(&squid, port, step).await;
        match step {
            5 | 19 | 27 => squid.rotate().await.unwrap(),
            11 => {
                settled(&squid, step).await;
                copy_and_empty(&squid.log());
            }
            15 => scene.stack.kill_agent().await.unwrap(),
            21 => {
                compress(squid.folder()).await;
                scene.stack.start_agent().await.unwrap();
            }
            23 => {
                scene.stack.kill_agent().await.unwrap();
                scene.stack.start_agent().await.unwrap();
            }
            _ => {}
        }
    }
    drop(safari);

    let dsl = scene.dsl().await;
    let page = alert_with(&dsl, "how to kill myself").await;
    assert!(page.contains("iPad-17"), "the lease and the asset log tell which device it was");
    assert_marks("the alert's page", page.as_bytes());
    // What was still on its way to the log is in it once Squid has ended.
    let logs = squid.stop().await.unwrap();
    let kept = kept(logs.path()).await;
    assert!(kept.values().sum::<u32>() > 150, "too few requests to mean anything: {kept:?}");
    for basis in
        [format!("lease {MAC}"), "user amy of school.example".to_owned(), address(STRANGER)]
    {
        assert!(kept.keys().any(|(who, ..)| *who == basis), "nothing of {basis}");
    }
    assert!(kept.keys().any(|(_, _, blocked)| *blocked));

    eventually("every request", async || {
        let arrived = arrived(&events(&scene.stack).await);
        (arrived.values().sum::<u32>() >= kept.values().sum::<u32>()).then_some(())
    })
    .await;
    scene.stack.stop().await.unwrap();
    let looked_through = Marks(&SECRETS).assert_not_in_stack(&scene.stack).await;
    let arrived = arrived(&looked_through.events);
    let differ: Vec<_> = kept
        .iter()
        .map(|(asked, times)| (asked, *times, arrived.get(asked).copied().unwrap_or(0)))
        .filter(|(_, kept, arrived)| kept != arrived)
        .collect();
    assert!(differ.is_empty(), "kept and arrived differ: {differ:?}");
    let more: Vec<_> = arrived.keys().filter(|asked| !kept.contains_key(*asked)).collect();
    assert!(more.is_empty(), "nobody asked for {more:?}");
    let lost =
        looked_through.events.iter().filter(|it| matches!(it.content, Some(Content::Gap(_))));
    assert_eq!(lost.count(), 0, "no rotation lost anything");
}

/// A stack whose agent follows the proxy's log, on a host that knows one device by its lease.
async fn behind(squid: &Squid) -> Scene {
    let mut stack = Stack::start(Programs::built().unwrap()).await.unwrap();
    let profile = stack.folder().join("pupil");
    stack.enrol(&[]).await.unwrap();
    let leases = stack.folder().join("dnsmasq.leases");
    fs::write(&leases, format!("0 {MAC} {IPAD} iPad-17 01:{MAC}\n")).unwrap();
    let settings = stack.agent_folder().join("agent.toml");
    let mut text = fs::read_to_string(&settings).unwrap();
    text.push_str(&format!(
        "[[log]]\npath = {:?}\nformat = \"squid\"\nauthority = \"school.example\"\n\
         [[leases]]\npath = {leases:?}\nformat = \"dnsmasq\"\n",
        squid.log()
    ));
    fs::write(&settings, text).unwrap();
    let assets = stack.folder().join("assets.csv");
    let row = format!("asset_tag,mac,allocated_to,kind\niPad-17,{MAC},ben,ipad\n");
    fs::write(&assets, row).unwrap();
    let mut import = stack.collector_command(["asset", "import", "--school", SCHOOL]);
    import.arg(&assets);
    succeed(import, "").await.unwrap();
    stack.start_agent().await.unwrap();
    Scene { stack, profile }
}

fn script(lessons: &[String]) -> Arc<[Step]> {
    let pages = lessons.iter().enumerate();
    let mut steps: Vec<_> = pages
        .map(|(n, host)| Step::page(host, &format!("/page/{n:02}?session=8f3a"), "A lesson"))
        .collect();
    let helpline = Step::page("www.childline.org.uk", "/how-we-can-help/", "Childline");
    steps.insert(7, helpline);
    steps.insert(13, Step::search("how to kill myself"));
    steps.into()
}

/// What goes on beside the iPad: somebody who has signed in, somebody whom nobody knows, and the filter.
async fn others(squid: &Squid, port: u16, step: usize) {
    let url = |host: &str, path: &str| format!("http://{host}:{port}/{path}/{step:02}");
    let login = url("alpha.example", "amy");
    assert_eq!(ask(LAPTOP, squid.login, &login, None).await.unwrap(), 407);
    assert_eq!(ask(LAPTOP, squid.login, &login, Some(AMY)).await.unwrap(), 404);
    let nobody = url("alpha.example", "nobody");
    assert_eq!(ask(STRANGER, squid.open, &nobody, None).await.unwrap(), 404);
    for host in FILTERED {
        let blocked = url(host, "how-we-can-help");
        let path = if host == "proxies.example" { url(host, "blocked") } else { blocked };
        assert_eq!(ask(IPAD, squid.open, &path, None).await.unwrap(), 403);
    }
}

/// Waits until what was asked up to a step is in the log: Squid writes it a second later.
async fn settled(squid: &Squid, step: usize) {
    let log = squid.log();
    let marks =
        [format!("/blocked/{step:02}"), format!("/nobody/{step:02}"), format!("/amy/{step:02}")];
    // The helpline was one more step before.
    let page = format!("/page/{:02}", step - 1);
    eventually("the log's lines", async || {
        let text = fs::read_to_string(&log).ok()?;
        marks.iter().chain([&page]).all(|mark| text.contains(mark)).then_some(())
    })
    .await;
}

/// Rotates as logrotate does with `copytruncate` and `dateext`.
fn copy_and_empty(log: &Path) {
    fs::copy(log, log.with_file_name("access.log-20261122")).unwrap();
    fs::File::options().write(true).open(log).unwrap().set_len(0).unwrap();
}

async fn compress(folder: &Path) {
    for name in ["access.log.0", "access.log.1", "access.log-20261122"] {
        let mut gzip = command("gzip");
        gzip.arg(folder.join(name));
        succeed(gzip, "").await.unwrap();
    }
}

/// What the logs have, all files of them, of what may be told.
async fn kept(folder: &Path) -> BTreeMap<Asked, u32> {
    let mut kept = BTreeMap::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("access.log") {
            continue;
        }
        let text = if name.ends_with(".gz") {
            let mut unpack = command("gzip");
            unpack.args(["--decompress", "--stdout"]).arg(&path);
            succeed(unpack, "").await.unwrap()
        } else {
            fs::read_to_string(&path).unwrap()
        };
        for asked in text.lines().filter_map(asked) {
            *kept.entry(asked).or_default() += 1;
        }
    }
    kept
}

/// What one line of Squid's native format says, if it is of a host of ours and no mere request to log in.
fn asked(line: &str) -> Option<Asked> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let [_, _, client, result, _, _, url, user, ..] = fields[..] else { panic!("{line}") };
    let url = url::Url::parse(url).ok().filter(|_| !result.ends_with("/407"))?;
    let who = match (user, client) {
        ("-", "127.0.0.9") => format!("lease {MAC}"),
        ("-", client) => format!("address {client}"),
        (user, _) => format!("user {user} of school.example"),
    };
    let address = of_ours(&url)?;
    Some((who, address, result.starts_with("TCP_DENIED")))
}

fn of_ours(url: &url::Url) -> Option<String> {
    let host = url.host_str().filter(|host| host.ends_with(".example"))?;
    Some(format!("{host}{}", url.path()))
}

/// What the collector has.
fn arrived(events: &[EventPayload]) -> BTreeMap<Asked, u32> {
    let mut arrived = BTreeMap::new();
    for event in events {
        let Some(Content::Request(request)) = &event.content else { continue };
        let Some(address) = url::Url::parse(&request.address).ok().as_ref().and_then(of_ours)
        else {
            continue;
        };
        let first = &event.evidence[0];
        let who = match first.method() {
            AttributionMethod::ProxyUser => format!("user {} of {}", first.value, first.authority),
            AttributionMethod::AddressLease => format!("lease {}", first.value),
            AttributionMethod::ClientAddress => format!("address {}", first.value),
            other => panic!("{other:?}"),
        };
        let last = event.evidence.last().unwrap();
        assert_eq!(last.method(), AttributionMethod::ClientAddress, "the address is always there");
        let blocked = request.action() == FilterAction::Blocked;
        *arrived.entry((who, address, blocked)).or_default() += event.occurrences.max(1);
    }
    arrived
}

fn address(of: Ipv4Addr) -> String {
    format!("address {of}")
}

fn assert_marks(place: &str, bytes: &[u8]) {
    Marks(&SECRETS).assert_not_in(place, bytes);
}
