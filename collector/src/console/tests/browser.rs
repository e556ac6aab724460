//! A browser without a screen: it keeps its cookie and reads the token out of the page's forms.

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use futures_util::StreamExt as _;
use http::{HeaderMap, Method, Request};
use tower::ServiceExt as _;

pub(super) struct Browser {
    router: Router,
    pub(super) cookie: Option<String>,
    /// Where it stands; none: the console is not told.
    pub(super) address: Option<IpAddr>,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Browser {
    pub(super) fn new(router: Router) -> Self {
        Self { router, cookie: None, address: None }
    }

    pub(super) async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.send("/sign-in", &[("email", email), ("password", password), ("next", "")]).await
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        let response = self.open(path).await;
        Answer::read(response).await
    }

    /// Opens a page and does not read it.
    pub(super) async fn open(&mut self, path: &str) -> Response {
        let request = self.request(Method::GET, path);
        self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    /// Sends a form, with the token of the session's forms.
    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf().await;
        let mut fields = fields.to_vec();
        fields.push(("csrf", &csrf));
        self.send(path, &fields).await
    }

    /// Sends a form as it is.
    pub(super) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send_with(path, fields, &[("sec-fetch-site", "same-origin")]).await
    }

    pub(super) async fn send_with(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&'static str, &'static str)],
    ) -> Answer {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = self
            .request(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(form)).unwrap();
        let answer = Answer::read(self.router.clone().oneshot(request).await.unwrap()).await;
        if let Some(cookie) = answer.headers.get("set-cookie") {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookie = (!cookie.ends_with('=')).then(|| cookie.to_owned());
        }
        answer
    }

    /// The token that the session's forms bring back.
    pub(super) async fn csrf(&mut self) -> String {
        let page = self.get("/account").await.body;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form with a token");
        rest.split('"').next().unwrap().to_owned()
    }

    fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let request = Request::builder().method(method).uri(path).header("host", "console.example");
        let request = match self.address {
            Some(address) => request.extension(ConnectInfo(SocketAddr::from((address, 50_000)))),
            None => request,
        };
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        }
    }
}

impl Answer {
    async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let mut chunks = body.into_data_stream();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        let body = String::from_utf8(bytes).unwrap();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(super) fn location(&self) -> &str {
        self.headers.get("location").map_or("", |location| location.to_str().unwrap())
    }
}
