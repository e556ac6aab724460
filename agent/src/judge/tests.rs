mod gaps;
mod media;
mod programs;
mod requests;
mod text;

use jiff::{SignedDuration, Timestamp};
use redshank_proto::clock::Fixed;
use redshank_proto::v1::event_payload::Content as Seen;

use super::*;
use crate::minimiser::{PrivateList, minimise};
use crate::observation::{Content, Observation, Source, Transition, Visit};
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
fn phrases_left_alone_take_single_hits_away_and_never_the_gravest() {
    let exemption = v1::Exemption {
        reason: "Year 9 reads The Zombie Knife".into(),
        from: Some(time::to_wire(at(-100))),
        until: Some(time::to_wire(at(100))),
        accounts: vec!["ann".into()],
        phrases: vec!["why (we|they) buy a zombie knife".into(), "how to end it all well".into()],
        ..Default::default()
    };
    let policy = v1::Policy { phrase_exemptions: vec![exemption], ..policy(1) };
    let mut bench = Bench::of(policy);
    let severity =
        |bench: &mut Bench, page: Page| bench.judge(&page).map(|captured| captured.severity);
    let title = "why we buy a zombie knife";
    assert_eq!(severity(&mut bench, search(title)), Some(0));
    assert_eq!(severity(&mut bench, search(title).by("ben")), Some(3));
    assert_eq!(severity(&mut bench, Page { second: 100, ..search(title) }), Some(3));
    let and_more = "why we buy a zombie knife. where can i buy a zombie knife";
    let captured = bench.judge(&search(and_more)).unwrap();
    let found = &captured.payload.matches[0];
    assert!(found.snippet[..usize::try_from(found.start).unwrap()].ends_with("where can i "));
    assert_eq!(severity(&mut bench, search("how to end it all well")), Some(5));
}

#[test]
fn rules_are_applied_for_the_age_of_the_account() {
    let mut policy = policy(1);
    policy.rule_packs[1].text.push_str(
        "raise = [{ reason = \"so young\", ages = [\"primary\"] }]\n\
         lower = [{ reason = \"nearly grown up\", ages = [\"sixth_form\"] }]\n",
    );
    policy.age_group = v1::AgeGroup::Primary.into();
    policy.ages = vec![v1::AccountAges {
        accounts: vec!["y12-*".into()],
        group: v1::AgeGroup::SixthForm.into(),
    }];
    policy.staff_accounts = vec!["t-*".into()];
    let mut bench = Bench::of(policy);
    for (user, severity) in [("ann", 4), ("y12-ann", 2), ("t-ann", 3)] {
        let captured = bench.judge(&search("buy a zombie knife").by(user)).unwrap();
        assert_eq!(captured.severity, severity, "{user}");
    }
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
