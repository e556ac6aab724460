//! What was searched for, by the address of the page with the results.
//!
//! A known engine is recognised by its host and the path of its results ([`engines`]). For any other
//! site a general rule holds: a path with a segment `search`, and a parameter by a usual name. Pure.

mod engines;

use percent_encoding::percent_decode_str;
use url::Url;

use self::engines::{ENGINES, Engine, Hosts};

/// Bytes of search terms, as [`Visit::search_terms`](crate::observation::Visit) bounds them.
const MOST_BYTES: usize = 4 * 1024;
/// Bytes of an address that are looked at: a query stands within them.
const URL_BYTES: usize = 64 * 1024;
/// Parameters of an address that are looked at.
const PARAMETERS: usize = 256;
/// Parameters in which sites that are not in the table keep what was searched for, the usual first.
const USUAL: &[&str] = &["q", "query", "search_query", "search", "searchterm", "keyword", "p", "k"];

/// The search terms in `url`, if it is a page of search results; at most 4 KiB, without space around.
#[must_use]
pub fn search_terms(url: &str) -> Option<String> {
    let url = Url::parse(&url[..url.floor_char_boundary(URL_BYTES)]).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = url.host_str()?.trim_end_matches('.');
    let known = ENGINES.iter().filter(|engine| is_at(engine.hosts, host));
    known
        .filter_map(|engine| by_engine(engine, &url))
        .chain(by_usual_names(&url))
        .find_map(|terms| tidy(&terms))
}

/// Whether `host` is one of an engine's.
fn is_at(hosts: Hosts, host: &str) -> bool {
    match hosts {
        Hosts::Domain(domain) => {
            host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }
        Hosts::AnyCountry(name) => {
            // `google.com`, `www.google.co.uk`: the name, then at most two labels of at most three letters.
            let labels: Vec<_> = host.rsplit('.').collect();
            let place = labels.iter().position(|label| *label == name);
            place.is_some_and(|at| {
                (1..=2).contains(&at) && labels[..at].iter().all(|label| label.len() <= 3)
            })
        }
    }
}

fn by_engine(engine: &Engine, url: &Url) -> Option<String> {
    let path = url.path();
    if let Some(prefix) = engine.in_path {
        let terms = path.strip_prefix(prefix)?.split('/').next()?;
        return Some(percent_decode_str(&terms.replace('+', " ")).decode_utf8_lossy().into_owned());
    }
    let starts = |prefix: &&str| {
        let is_folder = prefix.len() > 1 && prefix.ends_with('/');
        path == *prefix || is_folder && path.starts_with(*prefix)
    };
    if !engine.paths.is_empty() && !engine.paths.iter().any(starts) {
        return None;
    }
    parameter(url.query_pairs(), engine.parameters).or_else(|| {
        // Old addresses keep the query behind the hash: `https://www.google.com/#q=…`.
        let fragment = url.fragment()?;
        parameter(url::form_urlencoded::parse(fragment.as_bytes()), engine.parameters)
    })
}

fn by_usual_names(url: &Url) -> Option<String> {
    let is_search = |segment: &str| {
        let stem = segment.split_once('.').map_or(segment, |(stem, _)| stem);
        stem.eq_ignore_ascii_case("search")
    };
    if !url.path_segments()?.any(is_search) {
        return None;
    }
    USUAL.iter().find_map(|name| {
        let terms = parameter(url.query_pairs(), &[name])?;
        // `p` is as often the page's number.
        let is_number = *name == "p" && terms.bytes().all(|byte| byte.is_ascii_digit());
        (!is_number).then_some(terms)
    })
}

/// The first of `names` that has a value.
fn parameter(pairs: url::form_urlencoded::Parse<'_>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let mut named =
            pairs.take(PARAMETERS).filter(|(key, value)| key == name && !value.trim().is_empty());
        named.next().map(|(_, value)| value.into_owned())
    })
}

fn tidy(terms: &str) -> Option<String> {
    let terms = terms.trim();
    let terms = terms[..terms.floor_char_boundary(MOST_BYTES)].trim_end();
    (!terms.is_empty()).then(|| terms.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_engines() {
        for (url, terms) in [
            (
                "https://www.google.com/search?q=how+to+tie+a+knot&sca_esv=1&oq=how",
                "how to tie a knot",
            ),
            ("https://www.google.co.uk/search?hl=en&q=caf%C3%A9", "café"),
            ("https://google.de/search?q=a%2Bb", "a+b"),
            ("https://www.google.com/webhp?hl=en#q=old+style", "old style"),
            ("https://www.google.com/search?as_q=advanced&q=", "advanced"),
            ("https://scholar.google.com/scholar?q=tides", "tides"),
            ("https://news.google.com/search?q=news", "news"),
            ("https://www.google.com/maps/search/chip+shop/@51.5,0,12z", "chip shop"),
            ("https://www.bing.com/search?q=tides&form=QBLH", "tides"),
            ("https://www.bing.com/images/search?q=red+kite", "red kite"),
            ("https://duckduckgo.com/?q=tides&ia=web", "tides"),
            ("https://html.duckduckgo.com/html/?q=tides", "tides"),
            ("https://www.ecosia.org/search?method=index&q=tides", "tides"),
            ("https://uk.search.yahoo.com/search?p=tides&fr=yfp", "tides"),
            ("https://www.youtube.com/results?search_query=moon+landing", "moon landing"),
            ("https://m.youtube.com/results?search_query=x", "x"),
            ("https://music.youtube.com/search?q=song", "song"),
            ("https://www.tiktok.com/search?q=dance&t=1", "dance"),
            ("https://www.tiktok.com/search/user?q=dance", "dance"),
            ("https://www.reddit.com/search/?q=tides", "tides"),
            ("https://www.reddit.com/r/askscience/search?q=tides&restrict_sr=1", "tides"),
            ("https://en.wikipedia.org/w/index.php?search=tides&title=Special:Search", "tides"),
            ("https://en.wikipedia.org/wiki/Special:Search?search=tides", "tides"),
            ("https://www.amazon.co.uk/s?k=torch&ref=nb", "torch"),
            ("https://www.pinterest.co.uk/search/pins/?q=cakes&rs=typed", "cakes"),
            ("https://www.startpage.com/do/search?query=tides", "tides"),
            ("https://www.startpage.com/sp/search?query=tides", "tides"),
            ("https://www.qwant.com/?q=tides&t=web", "tides"),
            ("https://yandex.ru/search/?text=tides&lr=1", "tides"),
            ("https://yandex.com/images/search?text=tides", "tides"),
            ("https://www.baidu.com/s?wd=tides", "tides"),
            ("https://m.baidu.com/s?word=tides", "tides"),
            ("https://www.ask.com/web?q=tides", "tides"),
            ("https://search.brave.com/search?q=tides&source=web", "tides"),
            ("https://www.ebay.co.uk/sch/i.html?_nkw=torch", "torch"),
            ("https://open.spotify.com/search/sad%20songs/playlists", "sad songs"),
            ("https://www.tumblr.com/search/tides", "tides"),
            ("https://x.com/search?q=%23tides&src=typed_query", "#tides"),
            ("https://www.kiddle.co/s.php?q=tides", "tides"),
        ] {
            assert_eq!(search_terms(url).as_deref(), Some(terms), "{url}");
        }
    }

    #[test]
    fn other_sites_by_the_general_rule() {
        for (url, terms) in [
            ("http://127.0.0.1:8080/search?q=tie+a+knot", "tie a knot"),
            ("http://site.example/forum/search.php?query=x&p=2", "x"),
            ("http://site.example/Search/?search_query=x", "x"),
            ("http://site.example/search/all?p=tides", "tides"),
            ("http://site.example/search?k=tides", "tides"),
        ] {
            assert_eq!(search_terms(url).as_deref(), Some(terms), "{url}");
        }
    }

    #[test]
    fn what_is_no_search_has_no_terms() {
        for url in [
            "https://www.google.com/",
            "https://www.google.com/url?q=https://example.org/",
            "https://accounts.google.com/signin?q=x",
            "https://www.google.com/search?q=",
            "https://www.google.com/search?q=+%20",
            "https://google.evil.example/url?q=x",
            "https://notgoogle.com/webhp?q=x",
            "https://www.youtube.com/watch?v=abc",
            "https://www.amazon.co.uk/dp/B00?k=x",
            "https://site.example/search?p=2",
            "https://site.example/research?q=x",
            "https://site.example/?q=x",
            "file:///search?q=x",
            "chrome://search?q=x",
            "about:blank",
            "not an address",
            "",
        ] {
            assert_eq!(search_terms(url), None, "{url}");
        }
    }

    #[test]
    fn terms_are_bounded_and_invalid_utf_8_is_replaced() {
        let long = format!("https://www.google.com/search?q={}", "é".repeat(9_000));
        let terms = search_terms(&long).unwrap();
        assert_eq!(terms.len(), MOST_BYTES);
        let huge = format!("https://www.google.com/search?q=x&pad={}", "a".repeat(1_000_000));
        assert_eq!(search_terms(&huge).as_deref(), Some("x"));
        assert_eq!(search_terms("https://www.bing.com/search?q=%ff").as_deref(), Some("\u{fffd}"));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,200}") {
            let _ = search_terms(&text);
            let terms = search_terms(&format!("https://www.google.com/search?q={text}"));
            prop_assert!(terms.is_none_or(|terms| !terms.is_empty() && terms.len() <= MOST_BYTES));
        }
    }
}
