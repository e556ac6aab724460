//! Who asks: the session of a request, and the extractors by which a handler says whom it serves.

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{COOKIE, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;

use super::Console;
use super::failure::Failure;
use super::sign_in::is_place;
use crate::store::sessions::{Session, SessionToken};
use crate::store::{Purpose, Role, Scope, StoreError};

/// The cookie. Its prefix makes browsers refuse it unless it is Secure, of this host alone and for every path.
pub(super) const COOKIE_NAME: &str = "__Host-redshank";

/// What pages fetch by themselves: it is nothing that a person did, and keeps no session alive.
const AUTOMATIC: [&str; 2] = ["/queue/rows", "/live"];

/// Somebody signed in, whatever their role.
#[derive(Debug)]
pub(super) struct SignedIn(pub(super) Session);

/// Somebody whose role opens content.
#[derive(Debug)]
pub(super) struct Dsl(pub(super) Session);

/// A technician.
#[derive(Debug)]
pub(super) struct Technician(pub(super) Session);

/// A form, sent from a page of the sender's own session by somebody who may.
#[derive(Debug)]
pub(super) struct Posted<W, F> {
    /// Who sent it.
    pub(super) who: W,
    /// What they filled in.
    pub(super) form: F,
}

/// A form without fields of its own: a button.
#[derive(Debug, Deserialize)]
pub(super) struct Button {}

/// Why a request does not get to its handler.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Nobody is signed in, and a person opened a page: this is where they sign in and go on.
    SignIn(String),
    /// Anything else.
    Failure(Failure),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(place) => Redirect::to(&place).into_response(),
            Self::Failure(failure) => failure.into_response(),
        }
    }
}

/// The session that [`recognise`] found, in a request's extensions.
#[derive(Debug, Clone)]
struct Recognised(Session);

/// Looks the request's session up, once, and notes that its person did something.
pub(super) async fn recognise(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    if let Some(token) = token(request.headers())
        && let Some(session) = console.session(&token).await?
    {
        if session.stale && !AUTOMATIC.contains(&request.uri().path()) {
            let scope = Scope::system(Purpose::SignIn);
            console.store.write(&scope, move |edit| edit.touch_session(&token)).await?;
        }
        request.extensions_mut().insert(Recognised(session));
    }
    Ok(next.run(request).await)
}

/// The session's token that the browser sent, if it is one.
pub(super) fn token(headers: &HeaderMap) -> Option<SessionToken> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|header| HeaderValue::to_str(header).ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .and_then(|(_, value)| SessionToken::parse(value))
}

impl Console {
    /// The live session of a token.
    pub(super) async fn session(
        &self,
        token: &SessionToken,
    ) -> Result<Option<Session>, StoreError> {
        let (token, now) = (token.clone(), self.clock.now());
        self.store
            .read(&Scope::system(Purpose::SignIn), move |view| view.session(&token, now))
            .await
    }
}

impl FromRequestParts<Console> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Refusal> {
        admitted(parts, |_| true).map(Self)
    }
}

impl FromRequestParts<Console> for Dsl {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Refusal> {
        admitted(parts, Role::opens_content).map(Self)
    }
}

impl FromRequestParts<Console> for Technician {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Refusal> {
        admitted(parts, |role| role == Role::Technician).map(Self)
    }
}

fn admitted(parts: &Parts, may: impl FnOnce(Role) -> bool) -> Result<Session, Refusal> {
    let path = parts.uri.path();
    let Some(Recognised(session)) = parts.extensions.get() else {
        let person = parts.method == Method::GET && !AUTOMATIC.contains(&path);
        return Err(if person && path != "/" && is_place(path) {
            Refusal::SignIn(format!("/sign-in?next={path}"))
        } else if person {
            Refusal::SignIn("/sign-in".to_owned())
        } else {
            Failure::SignedOut.into()
        });
    };
    if !may(session.role) {
        tracing::warn!(user = %session.user, role = session.role.as_str(), "a page was refused");
        return Err(Failure::Forbidden(session.role).into());
    }
    Ok(session.clone())
}

impl AsRef<Session> for SignedIn {
    fn as_ref(&self) -> &Session {
        &self.0
    }
}

impl AsRef<Session> for Dsl {
    fn as_ref(&self) -> &Session {
        &self.0
    }
}

impl AsRef<Session> for Technician {
    fn as_ref(&self) -> &Session {
        &self.0
    }
}

/// Every form's fields, beside the token that shows that the form was ours.
#[derive(Deserialize)]
struct Signed<F> {
    csrf: String,
    #[serde(flatten)]
    form: F,
}

impl<W, F> FromRequest<Console> for Posted<W, F>
where
    W: FromRequestParts<Console, Rejection = Refusal> + AsRef<Session> + Send,
    F: DeserializeOwned,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let who = W::from_request_parts(&mut parts, console).await?;
        let request = Request::from_parts(parts, body);
        let Form(Signed { csrf, form }) = Form::<Signed<F>>::from_request(request, console)
            .await
            .map_err(|_| Failure::BadForm)?;
        let sent = data_encoding::HEXLOWER.decode(csrf.as_bytes()).unwrap_or_default();
        if !bool::from(who.as_ref().csrf.as_slice().ct_eq(&sent)) {
            return Err(Failure::CrossSite.into());
        }
        Ok(Self { who, form })
    }
}
