use jiff::{SignedDuration, Timestamp};
use redshank_proto::clock::Fixed;
use redshank_proto::v1::event_payload::Content as Seen;

use super::*;
use crate::minimiser::{PrivateList, minimise};
use crate::observation::{
    Action, Content, Evidence, Medium, MediumChange, Missed, Observation, PageText, Program,
    Request, Source, Target, TextKind, Transition, Visit,
};
use crate::policy::tests::policy;

#[test]
fn each_kind_of_visit_becomes_its_kind_of_event() {
    let quiet = v1::Policy { report_visits: false, ..policy(1) };
    for (words, severity, lane, wanted) in [
        ("how to end it all", 5, Lane::Urgent, true),
        ("buy a zombie knife", 3, Lane::Urgent, true),
        ("cheap vapes", 2, Lane::Routine, true),
        ("photosynthesis", 0, Lane::Routine, false),
    ] {
        let captured = bench().judge(&search(words)).unwrap();
        assert_eq!((captured.severity, captured.lane), (severity, lane), "{words}");
        let without = Bench::of(quiet.clone()).judge(&search(words));
        assert_eq!(without.is_some(), wanted, "{words}");
        assert_eq!(captured.fold.is_some(), wanted, "{words}");
        let Some(Seen::Visit(visit)) = captured.payload.content else { panic!("{words}") };
        assert_eq!(visit.search_terms.is_some(), wanted, "words leave beside a match only");
        assert_eq!(visit.title.is_some(), wanted, "words leave beside a match only");
        assert_eq!(visit.address, "https://search.example/find");
    }
}

#[test]
fn an_event_says_when_who_and_by_which_policy() {
    let payload = bench().judge(&search("how to end it all")).unwrap().payload;
    assert_eq!(payload.occurred_at, Some(time::to_wire(at(0))));
    assert_eq!(payload.observed_at, Some(time::to_wire(at(60))));
    assert_eq!((payload.boot_id.len(), payload.since_boot.is_some()), (16, true));
    assert_eq!((payload.policy_serial, payload.occurrences), (1, 0));
    let evidence = |method: v1::AttributionMethod, value: &str| {
        vec![v1::Evidence { method: method.into(), value: value.into(), authority: String::new() }]
    };
    assert_eq!(payload.evidence, evidence(v1::AttributionMethod::SignedIn, "ann"));
    let shared = search("how to end it all").by("School\\CLASS3");
    let payload = bench().judge(&shared).unwrap().payload;
    assert_eq!(payload.evidence, evidence(v1::AttributionMethod::SharedLogin, "School\\CLASS3"));
}

#[test]
fn a_rule_counts_once_in_its_most_telling_place() {
    let url = "https://search.example/how-to-end-it-all/cheap%20vapes";
    let page = Page { url, ..search("how to end it all") };
    let payload = bench().judge(&page).unwrap().payload;
    let found: Vec<_> =
        payload.matches.iter().map(|it| (it.rule.as_str(), it.severity, it.place())).collect();
    assert_eq!(
        found,
        [("suicide.method", 5, v1::Place::Search), ("drugs.vape", 2, v1::Place::UrlPath)]
    );
    let first = &payload.matches[0];
    let (start, end) = (first.start as usize, first.end as usize);
    assert_eq!(&first.snippet[start..end], "how to end it all");
}

#[test]
fn context_is_the_same_user_s_last_ten_minutes_and_leaves_with_a_grave_match_only() {
    let mut bench = bench();
    let visits =
        [("https://a.example/", -700), ("https://b.example/", -500), ("https://c.example/", -1)];
    for (url, second) in visits {
        bench.judge(&Page { url, second, ..search("photosynthesis") });
    }
    bench.judge(&Page { url: "https://d.example/", second: -2, ..search("x") }.by("ben"));
    let lesser = bench.judge(&search("cheap vapes")).unwrap();
    assert_eq!(lesser.payload.context, []);
    let graver = bench.judge(&Page { second: 1, ..search("how to end it all") }).unwrap();
    let context = graver.payload.context.iter().map(|it| it.address.as_str()).collect::<Vec<_>>();
    assert_eq!(
        context,
        ["https://b.example/", "https://c.example/", "https://search.example/find"]
    );
    assert_eq!(graver.payload.context[0].title.as_deref(), Some("photosynthesis - Search"));
}

#[test]
fn context_is_bounded_in_visits_and_users() {
    let mut bench = bench();
    for user in 0..100 {
        for second in 0..30 {
            let page = Page { second: user * 3 + second, ..search("photosynthesis") };
            bench.judge(&page.by(&user.to_string()));
        }
    }
    let page = Page { second: 400, ..search("how to end it all") };
    assert_eq!(bench.judge(&page.by("99")).unwrap().payload.context.len(), bounds::CONTEXT_VISITS);
    assert_eq!(bench.judge(&page.by("1")).unwrap().payload.context, []);
}

#[test]
fn of_illegal_imagery_nothing_leaves_but_the_fact_the_address_and_the_times() {
    let mut bench = bench();
    bench.judge(&Page { second: -5, ..search("photosynthesis") });
    let captured = bench.judge(&search("forbidden pictures how to end it all")).unwrap();
    assert_eq!(captured.payload.matches.len(), 2);
    for found in &captured.payload.matches {
        assert_eq!((found.snippet.as_str(), found.start, found.end), ("", 0, 0));
    }
    assert_eq!(captured.payload.context, []);
    let Some(Seen::Visit(visit)) = &captured.payload.content else { panic!() };
    assert_eq!((&visit.title, &visit.search_terms), (&None, &None));
    let bytes = captured.payload.encode_to_vec();
    assert!(!bytes.windows(9).any(|it| it == b"forbidden"));
    // Nor as the context of what comes next.
    let next = bench.judge(&Page { second: 9, ..search("buy a zombie knife") }).unwrap();
    assert_eq!(next.payload.context.len(), 2);
    assert_eq!(next.payload.context[1].title, None);
}

#[test]
fn a_late_title_is_an_event_only_for_what_it_adds() {
    let late = |title: &'static str, terms| {
        bench().judge(&Page { late: true, title: Some(title), terms, ..search("") })
    };
    assert!(late("photosynthesis", None).is_none(), "not even where visits are reported");
    assert!(late("how to end it all", Some("how to end it all")).is_none());
    let added = late("how to end it all, cheap vapes", Some("how to end it all")).unwrap();
    assert_eq!(added.payload.matches.len(), 1);
    assert_eq!(added.payload.matches[0].rule, "drugs.vape");
}

#[test]
fn no_words_of_illegal_imagery_leave_by_its_late_title() {
    let mut bench = bench();
    let terms = Some("forbidden pictures");
    let page = Page { title: None, terms, ..search("") };
    assert_eq!(bench.judge(&page).unwrap().payload.matches.len(), 1);

    let late = Page { late: true, title: Some("forbidden pictures, cheap vapes"), ..page };
    let added = bench.judge(&late).unwrap().payload;
    assert_eq!(added.matches.len(), 1);
    assert_eq!((added.matches[0].rule.as_str(), &*added.matches[0].snippet), ("drugs.vape", ""));
    let Some(Seen::Visit(visit)) = &added.content else { panic!() };
    assert_eq!((&visit.title, &visit.search_terms), (&None, &None));

    // Nor as the context of what comes next.
    let repeated = Page { title: Some("forbidden pictures"), ..late };
    assert!(bench.judge(&repeated).is_none(), "it adds nothing to the visit");
    let next = bench.judge(&Page { second: 9, ..search("buy a zombie knife") }).unwrap();
    let titles: Vec<_> = next.payload.context.iter().map(|it| it.title.as_deref()).collect();
    assert_eq!(titles, [None]);
}

#[test]
fn a_late_title_joins_its_visit_in_the_context() {
    let mut bench = bench();
    let page =
        Page { url: "https://a.example/", second: -9, title: None, terms: None, ..search("") };
    bench.judge(&page);
    bench.judge(&Page { late: true, title: Some("Photosynthesis"), ..page });
    let graver = bench.judge(&search("how to end it all")).unwrap();
    let titles: Vec<_> = graver.payload.context.iter().map(|it| it.title.as_deref()).collect();
    assert_eq!(titles, [Some("Photosynthesis")]);
}

#[test]
fn a_payload_fits_and_leaves_out_the_oldest_context_first() {
    let mut bench = bench();
    let title: &'static str = "t".repeat(1_024).leak();
    for n in 0..20 {
        let url: &'static str = format!("https://{n}.example/{}", "p".repeat(4_000)).leak();
        bench.judge(&Page { url, second: n - 30, title: Some(title), ..search("x") });
    }
    let captured = bench.judge(&search("how to end it all")).unwrap();
    assert!(captured.payload.encoded_len() <= PAYLOAD_BYTES);
    let context = &captured.payload.context;
    assert!((10..20).contains(&context.len()), "{}", context.len());
    assert!(context.last().unwrap().address.starts_with("https://19.example/"));
    assert_eq!(captured.payload.matches.len(), 1);
}

#[test]
fn a_payload_with_too_many_matches_keeps_the_most_severe() {
    let of = |severity| v1::Match { severity, snippet: "s".repeat(3_000), ..Default::default() };
    let payload =
        v1::EventPayload { matches: (0..32).rev().map(of).collect(), ..Default::default() };
    let fitted = fitted(payload);
    assert!(fitted.encoded_len() <= PAYLOAD_BYTES);
    assert_eq!(fitted.matches.first().map(|it| it.severity), Some(31));
    assert!(fitted.matches.len() > 15);
}

#[test]
fn repeats_have_one_key_and_other_words_people_or_pages_another() {
    let key = |page: &Page| bench().judge(page).unwrap().fold.unwrap();
    let once = search("how to end it all");
    assert_eq!(key(&once), key(&Page { second: 99, ..once }));
    for other in [
        search("how to end it all today"),
        once.by("ben"),
        Page { url: "https://other.example/find", ..once },
    ] {
        assert_ne!(key(&once), key(&other));
    }
}

#[test]
fn what_is_typed_is_told_once_as_it_grows_and_only_its_snippet_leaves() {
    let mut bench = Bench::of(reading(v1::TextPolicy { typed: true, ..Default::default() }));
    let mut typed = |text: &str| bench.see(TextKind::Typed, text, "ann");
    assert!(typed("i do not know how to").is_none());
    let first = typed("i do not know how to end it all").unwrap();
    assert_eq!((first.lane, first.severity), (Lane::Urgent, 5));
    let Some(Seen::Text(text)) = &first.payload.content else { panic!() };
    assert_eq!(text.kind(), v1::TextKind::Typed);
    assert_eq!(text.address, "https://chat.example/room");
    assert_eq!(first.payload.matches[0].place(), v1::Place::Typed);
    assert!(typed("i do not know how to end it all today").is_none());
    let more = typed("i do not know how to end it all today, cheap vapes").unwrap();
    let rules: Vec<_> = more.payload.matches.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(rules, ["drugs.vape"]);
}

#[test]
fn only_text_that_policy_names_is_read_and_staff_s_only_if_it_says_so() {
    let words = "how to end it all";
    for (policy, kind, user, read) in [
        (v1::TextPolicy::default(), TextKind::Typed, "ann", false),
        (v1::TextPolicy { typed: true, ..Default::default() }, TextKind::Prompt, "ann", true),
        (v1::TextPolicy { typed: true, ..Default::default() }, TextKind::Answer, "ann", false),
        (v1::TextPolicy { ai_answers: true, ..Default::default() }, TextKind::Answer, "ann", true),
        (v1::TextPolicy { typed: true, ..Default::default() }, TextKind::Page, "ann", false),
        (v1::TextPolicy { page_text: true, ..Default::default() }, TextKind::Page, "ann", true),
        (v1::TextPolicy { typed: true, ..Default::default() }, TextKind::Typed, "T-Head", false),
        (
            v1::TextPolicy { typed: true, staff_typed: true, ..Default::default() },
            TextKind::Typed,
            "t-head",
            true,
        ),
    ] {
        let mut bench = Bench::of(reading(policy));
        assert_eq!(bench.see(kind, words, user).is_some(), read, "{policy:?} {kind:?} {user}");
    }
}

#[test]
fn a_blocked_request_is_a_breach_if_the_school_chose_its_category_and_a_count_if_not() {
    let policy = v1::Policy {
        filter_categories: vec![v1::FilterCategory { name: "Adult Sites".into(), severity: 3 }],
        report_visits: false,
        ..policy(1)
    };
    let mut bench = Bench::of(policy);
    let breach = bench.request("adult sites", Action::Blocked).unwrap();
    assert_eq!((breach.lane, breach.severity), (Lane::Urgent, 3));
    let found = &breach.payload.matches[0];
    assert_eq!((&*found.rule, &*found.category), ("filter_breach.adult-sites", "filter_breach"));
    let Some(Seen::Request(request)) = &breach.payload.content else { panic!() };
    assert_eq!(request.action(), v1::FilterAction::Blocked);
    assert_eq!(request.category.as_deref(), Some("adult sites"));
    assert_eq!(breach.payload.evidence[0].method(), v1::AttributionMethod::AddressLease);
    assert_eq!(bench.counts(), None);

    for category in ["Health", "health", "adult sites (unrated)"] {
        assert!(bench.request(category, Action::Blocked).is_none());
    }
    assert!(bench.request("adult sites", Action::Allowed).is_none());
    let counted = bench.counts().unwrap();
    assert_eq!((counted.lane, counted.severity), (Lane::Routine, 0));
    assert_eq!(counted.payload.evidence, [], "of nobody");
    let Some(Seen::FilterCounts(counts)) = counted.payload.content else { panic!() };
    let counts: Vec<_> = counts.counts.iter().map(|it| (it.category.as_str(), it.count)).collect();
    assert_eq!(counts, [("adult sites (unrated)", 1), ("health", 2)]);
    assert_eq!(bench.counts(), None);
}

#[test]
fn of_a_request_that_the_filter_blocked_as_child_abuse_no_words_leave() {
    let chosen = v1::FilterCategory { name: "IWF".into(), severity: 5 };
    let mut bench = Bench::of(v1::Policy { filter_categories: vec![chosen], ..policy(1) });
    bench.request("news", Action::Allowed);
    let captured = bench.request("iwf", Action::Blocked).unwrap();
    let matches = &captured.payload.matches;
    let found: Vec<_> = matches.iter().map(|it| (&*it.category, &*it.snippet)).collect();
    assert_eq!(found, [("illegal_imagery", ""), ("suicide", "")]);
    assert_eq!(captured.payload.context, []);
    let Some(Seen::Request(request)) = &captured.payload.content else { panic!() };
    assert_eq!(
        (&request.search_terms, &request.reason, &request.user_agent),
        (&None, &None, &None)
    );
    assert_eq!(request.address, "http://blocked.example/page");
}

#[test]
fn an_exemption_takes_lesser_matches_away_and_a_pause_the_visits_too() {
    let exemption = v1::Exemption {
        reason: "the drugs unit".into(),
        from: Some(time::to_wire(at(-100))),
        until: Some(time::to_wire(at(100))),
        categories: vec!["violence".into(), "suicide".into()],
        ..Default::default()
    };
    let exempt = |exemption| v1::Policy { exemptions: vec![exemption], ..policy(1) };
    let mut bench = Bench::of(exempt(exemption.clone()));
    assert_eq!(bench.judge(&search("buy a zombie knife")).unwrap().severity, 0);
    assert_eq!(bench.judge(&search("how to end it all")).unwrap().severity, 5);
    assert_eq!(bench.judge(&search("cheap vapes")).unwrap().severity, 2);
    let pause = v1::Exemption { categories: vec![], ..exemption };
    let mut bench = Bench::of(exempt(pause));
    assert!(bench.judge(&search("cheap vapes")).is_none());
    assert_eq!(bench.judge(&search("how to end it all")).unwrap().severity, 5);
    assert!(bench.judge(&Page { second: 100, ..search("cheap vapes") }).is_some());
}

#[test]
fn a_medium_is_for_the_summary_unless_policy_raises_it() {
    for (media, severity) in [
        (None, 0),
        (Some(v1::MediaPolicy { allowed: false, severity: 0 }), 0),
        (Some(v1::MediaPolicy { allowed: true, severity: 3 }), 0),
        (Some(v1::MediaPolicy { allowed: false, severity: 3 }), 3),
    ] {
        let mut bench = Bench::of(v1::Policy { media, ..policy(1) });
        let stick = Medium { change: MediumChange::Inserted, name: "STICK".into(), bytes: 8 };
        let captured = bench.other(Content::Medium(stick.clone())).unwrap();
        assert_eq!(captured.severity, severity);
        let gone = Medium { change: MediumChange::Removed, ..stick };
        assert_eq!(bench.other(Content::Medium(gone)).unwrap().severity, 0);
    }
}

#[test]
fn a_listed_program_is_for_the_summary_unless_policy_raises_it() {
    let entry = |list: v1::ProgramList, name: &str, severity| v1::ProgramEntry {
        list: list.into(),
        name: name.into(),
        reason: "a test".into(),
        severity,
        ..Default::default()
    };
    let programs = vec![
        entry(v1::ProgramList::Bypass, "tor", 0),
        entry(v1::ProgramList::Denied, "game", 3),
        entry(v1::ProgramList::Denied, "meet", 3),
        entry(v1::ProgramList::Allowed, "meet", 0),
    ];
    let mut bench = Bench::of(v1::Policy { programs, ..policy(1) });
    let mut runs = |name: &str| {
        let path = Some(format!("/home/ann/{name}"));
        bench.other(Content::Program(Program { name: name.into(), path, publisher: None }))
    };
    let tor = runs("tor").unwrap();
    assert_eq!((tor.lane, tor.severity), (Lane::Routine, 0));
    let Some(Seen::Program(program)) = &tor.payload.content else { panic!() };
    assert_eq!((program.list(), program.path.as_deref()), (v1::ProgramList::Bypass, Some("~/tor")));
    let game = runs("game").unwrap();
    assert_eq!((game.severity, &*game.payload.matches[0].category), (3, "unapproved_software"));
    assert!(runs("meet").is_none() && runs("editor").is_none());
}

#[test]
fn what_a_source_lost_is_a_gap() {
    let captured = bench().other(Content::Missed(Missed { count: 7 })).unwrap();
    let Some(Seen::Gap(gap)) = captured.payload.content else { panic!() };
    assert_eq!((gap.reason(), gap.count), (v1::GapReason::Source, 7));
}

fn reading(text: v1::TextPolicy) -> v1::Policy {
    v1::Policy { text: Some(text), staff_accounts: vec!["t-*".into()], ..policy(1) }
}

struct Bench {
    policy: PolicyInForce,
    judge: Judge,
}

impl Bench {
    fn of(policy: v1::Policy) -> Self {
        let policy = PolicyInForce::compile(policy).unwrap();
        Self { policy, judge: Judge::new(Arc::new(Fixed::new(at(60), 1))) }
    }

    fn judge(&mut self, page: &Page) -> Option<Captured> {
        self.observe(page.observation())
    }

    fn observe(&mut self, seen: Observation) -> Option<Captured> {
        let minimised = minimise(&PrivateList::default(), seen).unwrap();
        self.judge.judge(&self.policy, &minimised)
    }

    fn other(&mut self, content: Content) -> Option<Captured> {
        self.observe(Observation { content, ..search("").observation() })
    }

    fn see(&mut self, kind: TextKind, text: &str, user: &str) -> Option<Captured> {
        let text = PageText {
            browser: "Chrome".into(),
            url: "https://chat.example/room?id=7".into(),
            title: Some("a room".into()),
            kind,
            field: 1,
            text: text.into(),
            private_window: false,
        };
        let seen = search("").by(user).observation();
        self.observe(Observation { content: Content::Text(text), ..seen })
    }

    fn request(&mut self, category: &str, action: Action) -> Option<Captured> {
        let request = Request {
            target: Target::Url("http://blocked.example/page?x=1".into()),
            action,
            category: Some(category.into()),
            reason: Some("how the filter judged it".into()),
            search_terms: (category == "iwf").then(|| "how to end it all".into()),
            user_agent: Some("a tablet".into()),
            status: Some(403),
        };
        let evidence = vec![Evidence::Lease { mac: "02:00:5e:00:53:01".into() }];
        let seen = search("").observation();
        self.observe(Observation {
            source: Source::ProxyLog,
            evidence,
            content: Content::Request(request),
            ..seen
        })
    }

    fn counts(&mut self) -> Option<Captured> {
        self.judge.take_counts(&self.policy)
    }
}

fn bench() -> Bench {
    Bench::of(policy(1))
}

/// What a source saw, in short.
#[derive(Clone, Copy)]
struct Page {
    url: &'static str,
    title: Option<&'static str>,
    terms: Option<&'static str>,
    second: i64,
    late: bool,
    user: &'static str,
}

impl Page {
    fn by(self, user: &str) -> Self {
        Self { user: user.to_owned().leak(), ..self }
    }

    fn observation(&self) -> Observation {
        let visit = Visit {
            browser: "Firefox".into(),
            profile: "default".into(),
            url: self.url.into(),
            title: self.title.map(str::to_owned),
            search_terms: self.terms.map(str::to_owned),
            transition: Transition::Link,
            private_window: false,
        };
        Observation {
            source: Source::BrowserHistory,
            occurred_at: at(self.second),
            evidence: vec![Evidence::OsUser(self.user.to_owned())],
            content: if self.late { Content::LateTitle(visit) } else { Content::Visit(visit) },
        }
    }
}

fn search(words: &str) -> Page {
    Page {
        url: "https://search.example/find?q=words#top",
        title: Some(format!("{words} - Search").leak()),
        terms: Some(words.to_owned().leak()),
        second: 0,
        late: false,
        user: "ann",
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap() + SignedDuration::from_secs(second)
}
