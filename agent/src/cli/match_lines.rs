//! `match`: tries texts on rule packs, one JSON line out for each line in.
//!
//! In: `{"id": …, "kind": …, "text": …}`. `id` is any JSON value and is given back; `kind` is where the
//! text was seen (`search`, `typed`, `page_text`, …); `age`, where there is one, is the pupil's age group
//! (`primary`, `secondary`, `sixth_form`); other fields are not looked at.
//!
//! Out: `{"id": …, "severity": 0–5, "matches": [{"rule", "category", "severity", "start", "end", "text"}]}`.
//! `start` and `end` are bytes of the text's UTF-8. A text longer than the matcher reads also has
//! `cut_at`, the byte where reading stopped. A line that is not as above, an empty one too, gives
//! `{"id": …, "severity": 0, "matches": [], "error": "…"}`, with `null` for an `id` that cannot be
//! read: lines in and out keep step, and one reader reads both.
//!
//! Each line is written out before the next is read: a program may drive this through a pipe.

use std::io::{self, BufRead, Read as _, Write};

use redshank_matcher::{AgeGroup, Matcher, Place, Setting};
use serde::Serialize;
use serde_json::Value;

/// The matcher's longest text with every character escaped, and room for the rest.
const LINE_BYTES: u64 = 2 * 1024 * 1024;

/// What a line should be, for errors.
const EXPECTED: &str = "expected {\"id\": …, \"kind\": \"search\", \"text\": \"…\"}";

/// Matches every line of `input`; mistakes go to `errors` with their line's number.
///
/// Gives the number of lines that were wrong.
///
/// # Errors
/// If reading or writing fails.
pub fn match_lines(
    matcher: &Matcher,
    mut input: impl BufRead,
    mut out: impl Write,
    mut errors: impl Write,
) -> io::Result<u64> {
    let mut wrong = 0;
    for number in 1_u64.. {
        let Some(line) = read_line(&mut input)? else { break };
        let answer = line.and_then(|line| answer(matcher, &line)).unwrap_or_else(Answer::from);
        if let Some(error) = &answer.error {
            wrong += 1;
            writeln!(errors, "line {number}: {error}")?;
        }
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(wrong)
}

#[derive(Serialize)]
struct Answer {
    id: Value,
    severity: u8,
    matches: Vec<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_at: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Found {
    rule: String,
    category: &'static str,
    severity: u8,
    start: usize,
    end: usize,
    text: String,
}

/// What is wrong with a line.
struct Mistake {
    /// `None` if it could not be read.
    id: Option<Value>,
    error: String,
}

impl From<Mistake> for Answer {
    fn from(Mistake { id, error }: Mistake) -> Self {
        let id = id.unwrap_or(Value::Null);
        Self { id, severity: 0, matches: Vec::new(), cut_at: None, error: Some(error) }
    }
}

/// Reads one line; `None` at the end, a mistake for a line past the bound, which is skipped.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Result<Vec<u8>, Mistake>>> {
    let mut line = Vec::new();
    if input.take(LINE_BYTES + 1).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() as u64 > LINE_BYTES {
        skip_line(input)?;
        let error = format!("the line is longer than {LINE_BYTES} bytes");
        return Ok(Some(Err(Mistake { id: None, error })));
    }
    Ok(Some(Ok(line)))
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let read = input.fill_buf()?;
        if read.is_empty() {
            return Ok(());
        }
        let end = read.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(read.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

fn answer(matcher: &Matcher, line: &[u8]) -> Result<Answer, Mistake> {
    let value: Value = serde_json::from_slice(line).map_err(|error| Mistake {
        id: None,
        error: format!("not JSON at column {}; {EXPECTED}", error.column()),
    })?;
    let id = value.get("id").cloned();
    let mistake = |error: String| Mistake { id: id.clone(), error };
    let text_of = |field: &str| {
        value
            .get(field)
            .and_then(Value::as_str)
            .ok_or_else(|| mistake(format!("\"{field}\" is missing or no text; {EXPECTED}")))
    };
    let place: Place =
        text_of("kind")?.parse().map_err(|error| mistake(format!("\"kind\": {error}")))?;
    let age: Option<AgeGroup> = match value.get("age") {
        None => None,
        Some(_) => {
            Some(text_of("age")?.parse().map_err(|error| mistake(format!("\"age\": {error}")))?)
        }
    };
    let text = text_of("text")?;
    let id = id.clone().ok_or_else(|| mistake(format!("\"id\" is missing; {EXPECTED}")))?;
    let findings = matcher.find_in(text, Setting { place, age });
    Ok(Answer {
        id,
        severity: findings.severity(),
        cut_at: findings.cut_at,
        error: None,
        matches: findings
            .matches
            .into_iter()
            .map(|found| Found {
                rule: found.rule.to_string(),
                category: found.category.as_str(),
                severity: found.severity.get(),
                start: found.start,
                end: found.end,
                text: text.get(found.start..found.end).unwrap_or_default().to_owned(),
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::packs::compile;

    const PACK: &str = r#"
        format = 1
        category = "wellbeing"
        language = "en"
        version = 1
        reviewed = "nobody yet"
        [[rule]]
        id = "wellbeing.lonely"
        severity = 3
        note = "Says that nobody is there for them."
        phrases = ["i have no friends"]
    "#;

    #[test]
    fn a_match_is_told_with_its_bytes_in_the_text() {
        let (out, errors, wrong) =
            run("{\"id\":1,\"kind\":\"typed\",\"text\":\"é I have no friends\"}\n");
        assert_eq!(
            out,
            "{\"id\":1,\"severity\":3,\"matches\":[{\"rule\":\"wellbeing.lonely\",\"category\":\
             \"wellbeing\",\"severity\":3,\"start\":3,\"end\":20,\"text\":\"I have no friends\"}]}\n"
        );
        assert_eq!((errors.as_str(), wrong), ("", 0));
    }

    #[test]
    fn a_text_without_a_match_has_severity_0() {
        let (out, _, _) = run("{\"id\":\"a\",\"kind\":\"search\",\"text\":\"photosynthesis\"}\n");
        assert_eq!(out, "{\"id\":\"a\",\"severity\":0,\"matches\":[]}\n");
    }

    #[test]
    fn an_id_of_any_json_type_comes_back() {
        for id in ["null", "true", "-1.5", "18446744073709551615", "[1,{}]", "{\"a\":\"é\"}"] {
            let (out, _, wrong) = run(&format!("{{\"text\":\"x\",\"kind\":\"host\",\"id\":{id}}}"));
            assert_eq!(out, format!("{{\"id\":{id},\"severity\":0,\"matches\":[]}}\n"));
            assert_eq!(wrong, 0);
        }
    }

    #[test]
    fn a_wrong_line_gives_one_line_out_and_one_error_with_its_number() {
        let good = "{\"id\":0,\"kind\":\"typed\",\"text\":\"x\"}\n";
        for (line, id, error_holds) in [
            ("", "null", "not JSON"),
            ("  \r", "null", "not JSON"),
            ("{\"id\":7,", "null", "not JSON at column 8"),
            ("[]", "null", "\"kind\" is missing"),
            ("{\"id\":7,\"kind\":\"typed\"}", "7", "\"text\" is missing"),
            ("{\"id\":7,\"kind\":\"typed\",\"text\":3}", "7", "\"text\" is missing"),
            ("{\"kind\":\"typed\",\"text\":\"x\"}", "null", "\"id\" is missing"),
            ("{\"id\":7,\"kind\":\"smell\",\"text\":\"x\"}", "7", "page_text"),
            (
                "{\"id\":7,\"kind\":\"typed\",\"age\":\"twelve\",\"text\":\"x\"}",
                "7",
                "unknown age group \"twelve\"",
            ),
        ] {
            let (out, errors, wrong) = run(&format!("{good}{line}\n{good}"));
            let lines: Vec<_> = out.lines().collect();
            assert_eq!(lines.len(), 3, "{line}");
            let shape = format!("{{\"id\":{id},\"severity\":0,\"matches\":[],\"error\":\"");
            assert!(lines[1].starts_with(&shape), "{line}: {}", lines[1]);
            assert!(errors.starts_with("line 2: ") && errors.contains(error_holds), "{errors}");
            assert_eq!((errors.lines().count(), wrong), (1, 1), "{line}");
        }
    }

    #[test]
    fn a_line_past_its_bound_is_skipped_as_one_line() {
        let long = "x".repeat(usize::try_from(LINE_BYTES).unwrap() + 5_000);
        let (out, errors, wrong) =
            run(&format!("{long}\n{{\"id\":2,\"kind\":\"typed\",\"text\":\"x\"}}\n"));
        let lines: Vec<_> = out.lines().collect();
        assert!(lines[0].contains("longer than") && lines[1].starts_with("{\"id\":2,"));
        assert_eq!((lines.len(), wrong), (2, 1));
        assert!(errors.len() < 200, "the line itself is not repeated");
    }

    #[test]
    fn a_text_longer_than_is_read_says_where_reading_stopped() {
        let text = "x".repeat(redshank_matcher::MAX_TEXT + 1);
        let (out, _, _) = run(&format!("{{\"id\":1,\"kind\":\"typed\",\"text\":\"{text}\"}}"));
        assert!(out.ends_with("\"cut_at\":262144}\n"), "{}", &out[out.len().saturating_sub(80)..]);
    }

    fn run(input: &str) -> (String, String, u64) {
        let matcher = compile([("wellbeing.toml", PACK)]).unwrap();
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let wrong = match_lines(&matcher, input.as_bytes(), &mut out, &mut errors).unwrap();
        (String::from_utf8(out).unwrap(), String::from_utf8(errors).unwrap(), wrong)
    }
}
