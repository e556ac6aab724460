//! A notice as one HTML file: no script, nothing fetched, the same words as the text.

use super::page::{Page, Section, Symbol};
use super::{AUDIENCES, name};
use crate::observation::Audience;

/// Around the links to the other notices; nothing of the page's own words can hold a tag.
const OTHERS: &str = "<nav aria-label=\"The same for others\">";
const OTHERS_END: &str = "</nav>\n";
const STYLE: &str = include_str!("page.css");

pub(super) fn render(page: &Page, audience: Audience, beside: bool) -> String {
    let mut out = String::with_capacity(16 * 1024);
    let title = escaped(page.title);
    let class = name(audience);
    out.push_str("<!doctype html>\n<html lang=\"en-GB\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    );
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n");
    out.push_str(&format!("<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n"));
    out.push_str(&format!("<body class=\"{class}\">\n<header>\n"));
    if !page.school.is_empty() {
        out.push_str(&format!("<p class=\"school\">{}</p>\n", escaped(&page.school)));
    }
    out.push_str(&format!("<h1>{title}</h1>\n"));
    if !page.lead.is_empty() {
        out.push_str(&format!("<p class=\"lead\">{}</p>\n", escaped(&page.lead)));
    }
    out.push_str("</header>\n<main>\n");
    for (number, section) in page.sections.iter().enumerate() {
        push_section(&mut out, number + 1, section);
    }
    out.push_str("</main>\n<footer>\n");
    if beside {
        push_others(&mut out, audience);
    }
    out.push_str(&format!(
        "<p>Redshank, notice {}</p>\n</footer>\n</body>\n</html>\n",
        page.version
    ));
    out
}

fn push_section(out: &mut String, number: usize, section: &Section) {
    let (class, drawing) = drawing(section.symbol);
    out.push_str(&format!("<section class=\"{class}\" aria-labelledby=\"part{number}\">\n"));
    out.push_str(&format!(
        "<svg viewBox=\"0 0 48 48\" aria-hidden=\"true\" focusable=\"false\">{drawing}</svg>\n<div>\n"
    ));
    out.push_str(&format!("<h2 id=\"part{number}\">{}</h2>\n", escaped(section.heading)));
    if !section.items.is_empty() {
        out.push_str("<ul>\n");
        for item in &section.items {
            out.push_str(&format!("<li>{}</li>\n", escaped(item)));
        }
        out.push_str("</ul>\n");
    }
    for paragraph in &section.paragraphs {
        out.push_str(&format!("<p>{}</p>\n", escaped(paragraph)));
    }
    out.push_str("</div>\n</section>\n");
}

/// Takes the links to the other notices out again.
pub(super) fn without_others(html: &str) -> String {
    let parts = html.split_once(OTHERS).zip(html.rsplit_once(OTHERS_END));
    parts.map_or_else(|| html.to_owned(), |((before, _), (_, after))| format!("{before}{after}"))
}

fn push_others(out: &mut String, audience: Audience) {
    out.push_str(OTHERS);
    out.push_str("\n<p>The same for:</p>\n<ul>\n");
    for other in AUDIENCES.into_iter().filter(|other| *other != audience) {
        let (file, label) = (name(other), label(other));
        out.push_str(&format!("<li><a href=\"{file}.html\">{label}</a></li>\n"));
    }
    out.push_str("</ul>\n");
    out.push_str(OTHERS_END);
}

fn label(audience: Audience) -> &'static str {
    match audience {
        Audience::YoungChildren => "young children",
        Audience::Pupils => "pupils",
        Audience::Staff => "staff",
        Audience::Families => "families",
    }
}

/// A section's class and its drawing, on a field of 48 by 48.
fn drawing(symbol: Symbol) -> (&'static str, &'static str) {
    match symbol {
        Symbol::Screen => (
            "seen",
            "<rect x=\"5\" y=\"8\" width=\"38\" height=\"25\" rx=\"3\"/><path d=\"M18 41h12M24 33v8\"/>\
             <path d=\"M13 20.5c3-4.5 7-6.5 11-6.5s8 2 11 6.5c-3 4.5-7 6.5-11 6.5s-8-2-11-6.5z\"/>\
             <circle cx=\"24\" cy=\"20.5\" r=\"2.5\"/>",
        ),
        Symbol::Person => (
            "who",
            "<circle cx=\"24\" cy=\"14\" r=\"8\"/><path d=\"M8 42c0-9 7-15 16-15s16 6 16 15z\"/>",
        ),
        Symbol::Lock => (
            "never",
            "<rect x=\"9\" y=\"21\" width=\"30\" height=\"21\" rx=\"3\"/>\
             <path d=\"M15 21v-5a9 9 0 0 1 18 0v5M24 29v6\"/>",
        ),
        Symbol::Heart => (
            "fine",
            "<path d=\"M24 41C10 31 6 24 6 17.5a9 9 0 0 1 18-3 9 9 0 0 1 18 3C42 24 38 31 24 41z\"/>",
        ),
        Symbol::Telephone => (
            "help",
            "<path d=\"M11 6h7l4 10-5 4c2 5 6 9 11 11l4-5 10 4v7c0 3-2 5-5 5C20 42 6 28 6 11c0-3 2-5 5-5z\"/>",
        ),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
