//! The search engines whose addresses are known, and sites on which pupils search.
//!
//! Each row was taken from the address that the site itself shows above its results.

/// Where an engine is at home.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hosts {
    /// This domain and all below it.
    Domain(&'static str),
    /// This name under any country's domain: `google.com`, `www.google.co.uk`.
    AnyCountry(&'static str),
}

/// How one engine's addresses hold the search terms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Engine {
    pub(super) hosts: Hosts,
    /// Paths of result pages; one that ends in `/` stands for all below it. Empty for every path.
    pub(super) paths: &'static [&'static str],
    /// Parameters that hold the terms, the first that has a value counting.
    pub(super) parameters: &'static [&'static str],
    /// The prefix of a path whose next segment is the terms; then paths and parameters are not looked at.
    pub(super) in_path: Option<&'static str>,
}

const fn by_parameter(
    hosts: Hosts,
    paths: &'static [&'static str],
    parameters: &'static [&'static str],
) -> Engine {
    Engine { hosts, paths, parameters, in_path: None }
}

const fn by_path(hosts: Hosts, prefix: &'static str) -> Engine {
    Engine { hosts, paths: &[], parameters: &[], in_path: Some(prefix) }
}

use Hosts::{AnyCountry, Domain};

pub(super) const ENGINES: &[Engine] = &[
    by_path(AnyCountry("google"), "/maps/search/"),
    by_parameter(
        AnyCountry("google"),
        &[
            "/search",
            "/webhp",
            "/",
            "/imghp",
            "/images",
            "/scholar",
            "/books",
            "/store/search",
            "/cse",
        ],
        &["q", "as_q"],
    ),
    by_parameter(
        Domain("bing.com"),
        &["/search", "/images/", "/videos/", "/news/", "/shop", "/shop/", "/maps", "/chat"],
        &["q"],
    ),
    by_parameter(Domain("duckduckgo.com"), &["/", "/html", "/html/", "/lite", "/lite/"], &["q"]),
    by_parameter(Domain("ecosia.org"), &[], &["q"]),
    by_parameter(Domain("search.yahoo.com"), &[], &["p"]),
    by_parameter(Domain("search.yahoo.co.jp"), &[], &["p"]),
    by_parameter(Domain("youtube.com"), &["/results", "/search"], &["search_query", "q"]),
    by_parameter(Domain("youtubekids.com"), &[], &["q"]),
    by_parameter(Domain("tiktok.com"), &["/search", "/search/"], &["q"]),
    by_parameter(Domain("reddit.com"), &[], &["q"]),
    by_parameter(Domain("wikipedia.org"), &[], &["search"]),
    by_parameter(Domain("wiktionary.org"), &[], &["search"]),
    by_parameter(AnyCountry("amazon"), &["/s", "/s/"], &["k", "field-keywords"]),
    by_parameter(AnyCountry("pinterest"), &["/search/"], &["q"]),
    by_parameter(AnyCountry("ebay"), &["/sch/"], &["_nkw"]),
    by_parameter(Domain("startpage.com"), &[], &["query", "q"]),
    by_parameter(Domain("qwant.com"), &[], &["q"]),
    by_parameter(AnyCountry("yandex"), &[], &["text"]),
    by_parameter(Domain("baidu.com"), &[], &["wd", "word"]),
    by_parameter(Domain("ask.com"), &[], &["q"]),
    by_parameter(Domain("search.aol.com"), &[], &["q"]),
    by_parameter(Domain("search.brave.com"), &[], &["q"]),
    by_parameter(Domain("mojeek.com"), &[], &["q"]),
    by_parameter(Domain("swisscows.com"), &[], &["query"]),
    by_parameter(Domain("kiddle.co"), &[], &["q"]),
    by_parameter(Domain("kidzsearch.com"), &[], &["q"]),
    by_parameter(Domain("perplexity.ai"), &[], &["q"]),
    by_parameter(Domain("x.com"), &["/search"], &["q"]),
    by_parameter(Domain("twitter.com"), &["/search"], &["q"]),
    by_parameter(Domain("instagram.com"), &["/explore/search/"], &["q"]),
    by_path(Domain("instagram.com"), "/explore/tags/"),
    by_parameter(Domain("facebook.com"), &["/search/"], &["q"]),
    by_parameter(Domain("twitch.tv"), &["/search"], &["term"]),
    by_path(Domain("open.spotify.com"), "/search/"),
    by_path(Domain("tumblr.com"), "/search/"),
    by_path(Domain("giphy.com"), "/search/"),
];
