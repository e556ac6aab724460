//! The console: what the Designated Safeguarding Lead and the technician see.
//!
//! Server-rendered pages that work without JavaScript; one script makes the queue live. What always holds:
//!
//! - **Nobody by accident.** A handler takes its reader as [`who::Dsl`], [`who::Technician`] or
//!   [`who::SignedIn`] and reads the store with that session's [`crate::store::Scope`] alone; a form arrives
//!   as [`who::Posted`], which has held its token and the reader's role against the session. An alert of
//!   another school, one whose subject is the reader, and one that does not exist are the same 404.
//! - **Every view of content is on the audit trail before the page leaves**: it is read and recorded in one
//!   write of the store. Rows that the page fetches by itself count as a view as well.
//! - **A pause is loud**: whatever policy leaves alone stands at the top of every page until it ends.
//! - **No content and no name outside the page's body**: not in a title, an address, a header, a cookie, an
//!   event of the live stream or a log line.
//! - **Nothing from a peer is markup.** Templates escape everything; where a match stands is cut out of the
//!   text on this side ([`highlight`]), whatever offsets an agent claims.
//! - **Strict policy on every answer** ([`security`]): no inline script or style, nothing from elsewhere, no
//!   frames, no caching but of the assets.
//!
//! | path | who | what |
//! |---|---|---|
//! | `/sign-in`, `/sign-out`, `/account`, `/notices/read` | anybody, then whoever is signed in | sessions |
//! | `/`, `/queue/rows`, `/live` | DSL | the queue, its rows alone, and a tick when they change |
//! | `/alerts/{id}`, `…/acknowledge`, `…/close` | DSL | one alert |
//! | `/people`, `/people/{id}/approve` | DSL | who may see what |
//! | `/summary` | DSL | programs and removable media, week by week |
//! | `/devices`, `/devices/{id}`, `…/approve` | both; approving: technician | devices and their health, no content |
//! | `/devices/unknown` | both | devices behind a proxy that the asset log does not know, no content |
//! | `/monitoring` | both; names: DSL | what is left alone, blocked requests by number, who has been told |
//! | `/assets/…`, `/healthz` | anybody | style and script; whether the console answers |

mod account;
mod alert;
mod assets;
mod devices;
mod failure;
mod frame;
mod highlight;
mod live;
mod monitoring;
pub mod password;
mod people;
mod queue;
mod security;
mod sign_in;
mod summary;
mod throttle;
mod unknown;
mod when;
mod who;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use redshank_proto::clock::{Clock, Randomness};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::failure::Failure;
use crate::store::Store;

/// Bytes of a form: 2,000 characters of a reason, each percent-encoded, fit.
const BODY_BYTES: usize = 32 * 1024;

/// What whoever serves the console decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Live queues open at once; a browser past it reloads by hand.
    pub live_connections: usize,
    /// Cancelled when the collector stops: live queues end, so that the listener can.
    pub stopping: CancellationToken,
}

impl Default for Settings {
    /// 256 live queues: every Designated Safeguarding Lead and deputy of a large trust, twice over.
    fn default() -> Self {
        Self { live_connections: 256, stopping: CancellationToken::new() }
    }
}

/// What every handler may use.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    store: Store,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    verifier: Arc<password::Verifier>,
    throttle: Arc<throttle::Throttle>,
    live: Arc<Semaphore>,
    stopping: CancellationToken,
}

/// Makes the console's service, to be served over HTTPS only: its cookie is sent nowhere else.
///
/// Whoever accepts the connection puts its peer's address into each request's extensions as
/// [`axum::extract::ConnectInfo`]`<SocketAddr>`, by which attempts to sign in are throttled.
pub fn router(
    store: Store,
    settings: Settings,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
) -> Router {
    let console = Console {
        store,
        clock,
        randomness,
        verifier: Arc::new(password::Verifier::new()),
        throttle: Arc::new(throttle::Throttle::new()),
        live: Arc::new(Semaphore::new(settings.live_connections)),
        stopping: settings.stopping,
    };
    Router::new()
        .route("/", get(queue::page))
        .route("/queue/rows", get(queue::rows))
        .route("/live", get(live::stream))
        .route("/alerts/{alert}", get(alert::page))
        .route("/alerts/{alert}/acknowledge", post(alert::acknowledge))
        .route("/alerts/{alert}/close", post(alert::close))
        .route("/summary", get(summary::page))
        .route("/monitoring", get(monitoring::page))
        .route("/people", get(people::page))
        .route("/people/{user}/approve", post(people::approve))
        .route("/devices", get(devices::list))
        .route("/devices/unknown", get(unknown::page))
        .route("/devices/{device}", get(devices::one))
        .route("/devices/{device}/approve", post(devices::approve))
        .route("/account", get(account::page))
        .route("/notices/read", post(account::read_notices))
        .route("/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .fallback(|| async { Failure::NotFound })
        .method_not_allowed_fallback(|| async { Failure::Method })
        .layer(from_fn_with_state(console.clone(), who::recognise))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn(security::same_origin))
        .route("/assets/{version}/{name}", get(assets::asset))
        .route("/healthz", get(|| async { "ok\n" }))
        .layer(from_fn(security::headers))
        .with_state(console)
}

#[cfg(test)]
mod tests;
