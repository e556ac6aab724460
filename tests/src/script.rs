//! What the pupil of the demo does, and what should come of it.

use std::sync::Arc;

use redshank_matcher::Category;

/// One page that the pupil opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A search, by the form of the page before.
    Search {
        /// The words.
        words: String,
    },
    /// A page, by a link of the page before.
    Page {
        /// The host, any name: the browser is told that every name is this machine.
        host: String,
        /// Path and query.
        path: String,
        /// The page's title.
        title: String,
    },
}

/// The host of the search engine that the site plays.
pub const SEARCH_HOST: &str = "search.example";

impl Step {
    /// A search.
    #[must_use]
    pub fn search(words: impl Into<String>) -> Self {
        Self::Search { words: words.into() }
    }

    /// A page.
    #[must_use]
    pub fn page(host: &str, path: &str, title: &str) -> Self {
        Self::Page { host: host.to_owned(), path: path.to_owned(), title: title.to_owned() }
    }

    /// The host it is on.
    #[must_use]
    pub fn host(&self) -> &str {
        match self {
            Self::Search { .. } => SEARCH_HOST,
            Self::Page { host, .. } => host,
        }
    }

    /// What the screen says of it.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Search { words } => format!("search “{words}”"),
            Self::Page { title, .. } => format!("page “{title}”"),
        }
    }
}

/// A step, and the alert that it should raise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// What the pupil does.
    pub step: Step,
    /// The category of the alert and the severity it has at least; `None`: no alert.
    pub alert: Option<(Category, u8)>,
}

/// The demo's script: each worrying step of another category, so that each is an alert of its own.
#[must_use]
pub fn demo() -> Arc<[Expectation]> {
    let search = |words: &str, alert| Expectation { step: Step::search(words), alert };
    let page = |host, path, title| Expectation { step: Step::page(host, path, title), alert: None };
    Arc::new([
        search("volcano homework help", None),
        page("www.geology.example", "/volcanoes?session=8f3a", "How volcanoes work"),
        search("suicide squad cast", None),
        search("how to kill weeds in lawn", None),
        search("how to kill myself", Some((Category::Suicide, 4))),
        page("www.samaritans.org", "/how-we-can-help/", "How we can help | Samaritans"),
        search("essex cricket results", None),
        search("where to cut so nobody sees", Some((Category::SelfHarm, 4))),
        search("am i gay", None),
        search(
            "he says he will share my nudes unless i send more",
            Some((Category::SexualExploitation, 4)),
        ),
        search("romeo and juliet essay", None),
        search("my dad hits me and i am scared to go home", Some((Category::AbuseDisclosure, 4))),
        page("www.bbc.example", "/news/knife-crime-figures", "Knife crime figures published"),
        search("best minecraft builds", None),
        // Last: once it has arrived, so has all before it.
        search("how to make a pipe bomb", Some((Category::Violence, 3))),
    ])
}
