//! The web as pupils use it, on loopback: a search engine, a chat, a single-page site, an AI chat, a sign-in
//! page and a shop's till.
//!
//! Every host name leads here, on the port for plain HTTP, so that addresses are the real ones without a port.
//! What a page is depends on its path alone; whose it is, on the host that the test goes to.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::net::TcpListener;

/// A search form as search engines have it, and what was searched for in the title.
#[derive(Debug, Deserialize)]
struct Search {
    #[serde(default)]
    q: String,
}

/// A message is sent by Enter, and gone from the field.
const CHAT: &str = "
<div id=said></div>
<textarea id=message placeholder='Message'></textarea>
<div id=rich contenteditable role=textbox aria-label='Message'></div>
<script>
  for (const field of [message, rich]) field.addEventListener('keydown', event => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    const text = field.value ?? field.textContent;
    said.append(text, document.createElement('br'));
    if (field.value === undefined) field.textContent = ''; else field.value = '';
  });
</script>";

/// Goes on without a new document, as a single-page site does, and has its title a moment later.
const SINGLE_PAGE: &str = "
<button id=next>Next</button>
<script>
  next.onclick = () => {
    history.pushState({}, '', '/watch?v=2');
    setTimeout(() => document.title = 'How to kill myself, marktitle', 300);
  };
</script>";

/// An answer that grows, as an AI's does.
const AI_CHAT: &str = "
<div id=said></div>
<textarea id=message placeholder='Ask anything'></textarea>
<script>
  message.addEventListener('keydown', event => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    const asked = document.createElement('p'), answer = document.createElement('p');
    asked.textContent = message.value;
    message.value = '';
    said.append(asked, answer);
    const words = 'Nobody will miss you, so kill yourself, said markanswer'.split(' ');
    const speak = () => {
      answer.textContent += words.shift() + ' ';
      if (words.length > 0) setTimeout(speak, 30);
    };
    speak();
  });
</script>";

/// Password, “show password”, one-time code, and a field that nobody sees, which repeats the password. Nothing but
/// its type says that the password is one.
const SIGN_IN: &str = "
<form onsubmit='return false'>
  <label>Entry <input id=entry type=password></label>
  <button id=show type=button onclick=\"entry.type = 'text'\">Show</button>
  <label>Code <input id=code autocomplete=one-time-code></label>
  <input id=hidden type=hidden name=token>
  <button id=in>Sign in</button>
</form>
<script>
  entry.oninput = () => hidden.value = entry.value;
</script>";

/// A shop's till.
const TILL: &str = "
<form onsubmit='return false'>
  <label>Name on card <input id=name autocomplete=cc-name></label>
  <label>Card number <input id=card inputmode=numeric autocomplete=cc-number></label>
  <label>Security code <input id=cvc name=cvc></label>
  <button>Pay</button>
</form>";

/// The pages, being served.
#[derive(Debug)]
pub struct Pages {
    address: SocketAddr,
}

impl Pages {
    /// Serves them on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn serve() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let address = listener.local_addr()?;
        let page = |title: &'static str, body: &'static str| {
            get(move || std::future::ready(show(title, body)))
        };
        let router = Router::new()
            .route("/search", get(search))
            .route("/chat", page("Chat", CHAT))
            .route("/chat/", page("Chat with us", CHAT))
            .route("/watch", page("First video", SINGLE_PAGE))
            .route("/new", page("AI", AI_CHAT))
            .route("/sign-in", page("Sign in", SIGN_IN))
            .route("/till", page("Till", TILL))
            .route("/blocked", page("This page is blocked", CHAT))
            .route("/refused", get(refused))
            .fallback(page("Page", "<h1>A page</h1>"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address })
    }

    /// The port to which every host's port 80 is to lead.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

async fn search(Query(Search { q }): Query<Search>) -> Response {
    let form = "<form action=/search><input id=q name=q><button>Search</button></form>";
    let title = if q.is_empty() { "Search".to_owned() } else { format!("{q} – Search") };
    show(&title, form)
}

/// As a filter answers in the name of the site that it blocks.
async fn refused() -> Response {
    (StatusCode::FORBIDDEN, show("Access denied", CHAT)).into_response()
}

fn show(title: &str, body: &str) -> Response {
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>\
         <link rel=icon href=\"data:,\"><h1>{title}</h1>{body}</html>"
    );
    Html(page).into_response()
}
