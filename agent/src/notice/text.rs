//! A notice as plain text.

use super::page::Page;

/// Characters of a line: what fits on a terminal and in a letter.
const WIDTH: usize = 78;

pub(super) fn render(page: &Page) -> String {
    let mut out = String::new();
    heading(&mut out, page.title, '=');
    if !page.school.is_empty() {
        wrapped(&mut out, &page.school, "", "");
        out.push('\n');
    }
    if !page.lead.is_empty() {
        wrapped(&mut out, &page.lead, "", "");
        out.push('\n');
    }
    for section in &page.sections {
        heading(&mut out, section.heading, '-');
        for item in &section.items {
            wrapped(&mut out, item, "- ", "  ");
        }
        for paragraph in &section.paragraphs {
            wrapped(&mut out, paragraph, "", "");
        }
        out.push('\n');
    }
    out.push_str(&format!("Redshank, notice {}\n", page.version));
    out
}

fn heading(out: &mut String, text: &str, line: char) {
    out.push_str(text);
    out.push('\n');
    out.extend(std::iter::repeat_n(line, text.chars().count()));
    out.push('\n');
}

fn wrapped(out: &mut String, text: &str, first: &str, further: &str) {
    let mut line = first.to_owned();
    let mut any = false;
    for word in text.split_whitespace() {
        if any && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            (line, any) = (further.to_owned(), false);
        }
        if any {
            line.push(' ');
        }
        line.push_str(word);
        any = true;
    }
    out.push_str(&line);
    out.push('\n');
}
