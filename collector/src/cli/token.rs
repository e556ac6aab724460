//! `token create`.

use std::io::Write;

use jiff::ToSpan as _;
use redshank_proto::token::{Token, sha256};
use serde_json::json;

use super::{Format, Host};
use crate::store::Scope;
use crate::store::tokens::NewToken;

pub(super) async fn create(
    host: &Host,
    school: &str,
    purpose: String,
    uses: u32,
    days: u16,
    format: Format,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let school = host.school(school).await?;
    let scope = Scope::command_line();
    let bundle = host.store.read(&scope, move |view| view.newest_bundle(school)).await?;
    let token = Token::draw(sha256(&bundle.bundle), &*host.randomness);
    let secret_sha256 = token.secret_sha256();
    let expires_at = host.clock.now().checked_add((i64::from(days) * 24).hours())?;
    let new = NewToken { school, secret_sha256, purpose, expires_at, uses };
    host.store.write(&scope, move |edit| edit.add_token(&new)).await?;
    if format.json {
        let answer = json!({
            "token": token.to_string(),
            "school": school.to_string(),
            "expires_at": expires_at.to_string(),
            "uses": uses,
        });
        writeln!(out, "{answer}")?;
    } else {
        // Alone on its line: it is piped into MDM's settings.
        writeln!(out, "{token}")?;
    }
    Ok(())
}
