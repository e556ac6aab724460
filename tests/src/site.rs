//! A small website on loopback that walks a browser through a script.
//!
//! Each page carries the way to the next one, a link or a search form, and clicks or submits it when the
//! site gives the turn: real navigations of a real browser, with no need to steer it from outside.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use redshank_proto::clock::{Clock as _, System};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::script::{SEARCH_HOST, Step};

/// What the page runs once it is shown: asks for its turn, then goes on as a pupil's click would.
const GO_ON: &str = "fetch('/turn', {cache: 'no-store'}).then(() => {
  const form = document.querySelector('form#next');
  if (form) form.requestSubmit(); else document.querySelector('a#next')?.click();
});";

/// A site that is being served.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    turns: watch::Sender<usize>,
    visits: mpsc::Receiver<Visited>,
}

/// A page that the browser has opened.
#[derive(Debug, Clone)]
pub struct Visited {
    /// Which step of the script it is.
    pub step: usize,
    /// When its request arrived.
    pub at: Timestamp,
}

#[derive(Debug, Clone)]
struct Serving {
    script: Arc<[Step]>,
    port: u16,
    turns: watch::Receiver<usize>,
    visits: mpsc::Sender<Visited>,
    seen: Arc<Mutex<usize>>,
}

impl Site {
    /// Serves a script on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn serve(script: Arc<[Step]>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let address = listener.local_addr()?;
        let (turns, turn) = watch::channel(0);
        let (visit, visits) = mpsc::channel(script.len().max(1));
        let serving = Serving {
            script,
            port: address.port(),
            turns: turn,
            visits: visit,
            seen: Arc::default(),
        };
        let router =
            axum::Router::new().route("/turn", get(turn_given)).fallback(page).with_state(serving);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, turns, visits })
    }

    /// The page that the browser opens first; not a step of the script.
    #[must_use]
    pub fn start(&self) -> String {
        format!("http://start.example:{}/", self.address.port())
    }

    /// Lets the browser open the next page of the script.
    pub fn give_turn(&self) {
        self.turns.send_modify(|turns| *turns += 1);
    }

    /// The next page that the browser has opened; `None` once nothing is served.
    pub async fn visited(&mut self) -> Option<Visited> {
        self.visits.recv().await
    }
}

/// Waits until the page that asks may go on.
async fn turn_given(State(mut serving): State<Serving>) -> StatusCode {
    let seen = *serving.seen.lock().unwrap_or_else(PoisonError::into_inner);
    match serving.turns.wait_for(|turns| *turns > seen).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::GONE,
    }
}

async fn page(State(serving): State<Serving>, request: Request) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.split(':').next()).unwrap_or_default();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if host == "start.example" {
        return show("Start", serving.script.first(), serving.port);
    }
    let found = serving.script.iter().position(|step| leads_to(step, host, path));
    let Some(at) = found else { return StatusCode::NOT_FOUND.into_response() };
    let first_time = {
        let mut seen = serving.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let first_time = *seen <= at;
        *seen = (*seen).max(at + 1);
        first_time
    };
    if first_time {
        // The receiver holds the whole script; it is gone when nobody asks any more.
        drop(serving.visits.try_send(Visited { step: at, at: System.now() }));
    }
    let title = match &serving.script[at] {
        Step::Search { words } => format!("{words} – Search"),
        Step::Page { title, .. } => title.clone(),
    };
    show(&title, serving.script.get(at + 1), serving.port)
}

fn leads_to(step: &Step, host: &str, path: &str) -> bool {
    match step {
        Step::Search { words } => host == SEARCH_HOST && path == search_path(words),
        Step::Page { host: there, path: its, .. } => host == there && path == its,
    }
}

/// As a browser submits a form: `application/x-www-form-urlencoded`.
fn search_path(words: &str) -> String {
    let query: String =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("q", words).finish();
    format!("/search?{query}")
}

fn show(title: &str, next: Option<&Step>, port: u16) -> Response {
    let next = match next {
        None => "<p>The end.</p>".to_owned(),
        Some(Step::Search { words }) => format!(
            "<form id=next action=\"http://{SEARCH_HOST}:{port}/search\">\
             <input name=q value=\"{}\"><button>Search</button></form>",
            escape(words)
        ),
        Some(Step::Page { host, path, title }) => format!(
            "<p><a id=next href=\"http://{host}:{port}{}\">{}</a></p>",
            escape(path),
            escape(title)
        ),
    };
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{}</title><link rel=icon href=\"data:,\">\
         <h1>{0}</h1>{next}<script>{GO_ON}</script></html>",
        escape(title)
    );
    Html(page).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_found_by_what_a_form_submits() {
        let step = Step::search("how to kill weeds & co");
        assert!(leads_to(&step, SEARCH_HOST, "/search?q=how+to+kill+weeds+%26+co"));
        assert!(!leads_to(&step, "other.example", "/search?q=how+to+kill+weeds+%26+co"));
        assert!(!leads_to(&step, SEARCH_HOST, "/search?q=other"));
    }
}
