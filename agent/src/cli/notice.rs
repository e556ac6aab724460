//! `notice`: shows what is collected on this device, to whoever uses it.
//!
//! It reads the public folder alone, so a pupil may run it. It opens nothing: the agent starts no program, not
//! even a browser. `--html FILE` writes the file that a desktop's entry opens.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::notice::public::{Form, Public};
use crate::notice::{self, confirm};
use crate::observation::{Audience, NoticeShown};

#[derive(Debug, Args)]
pub(super) struct NoticeArgs {
    /// Whom it is written for
    #[arg(long, value_enum, default_value_t = For::Pupils)]
    audience: For,
    /// Prints it as plain text; as without any of these
    #[arg(long, conflicts_with_all = ["html", "shown"])]
    text: bool,
    /// Writes it as one HTML file, which needs nothing beside it
    #[arg(long, value_name = "FILE", conflicts_with = "shown")]
    html: Option<PathBuf>,
    /// Tells the agent that you were shown it; for the entry that shows it at sign-in
    #[arg(long)]
    shown: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum For {
    YoungChildren,
    Pupils,
    Staff,
    Families,
}

impl From<For> for Audience {
    fn from(audience: For) -> Self {
        match audience {
            For::YoungChildren => Self::YoungChildren,
            For::Pupils => Self::Pupils,
            For::Staff => Self::Staff,
            For::Families => Self::Families,
        }
    }
}

/// Shows the notice, or says that it was shown.
pub(super) fn notice(args: &NoticeArgs, out: &mut impl Write) -> anyhow::Result<()> {
    show(args, &Public::default_folder(), out)
}

fn show(args: &NoticeArgs, public: &Public, out: &mut impl Write) -> anyhow::Result<()> {
    let audience = Audience::from(args.audience);
    if args.shown {
        let shown = NoticeShown { version: public.version()?, audience };
        return confirm::tell(shown).context(
            "the agent could not be told that the notice was shown; it tries again at the next sign-in",
        );
    }
    match &args.html {
        None => out.write_all(public.read(audience, Form::Text)?.as_bytes())?,
        Some(file) => write(file, &notice::alone(&public.read(audience, Form::Html)?))?,
    }
    Ok(())
}

fn write(file: &Path, html: &str) -> anyhow::Result<()> {
    std::fs::write(file, html).with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pupil_reads_it_as_text_or_as_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let public = Public::at(&folder.path().join("notice"));
        let args = |html| NoticeArgs { audience: For::Pupils, text: false, html, shown: false };
        let error = show(&args(None), &public, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("no notice"), "{error}");

        let facts = notice::Facts { version: 7, ..Default::default() };
        public.publish(&facts).unwrap();
        let mut out = Vec::new();
        show(&args(None), &public, &mut out).unwrap();
        assert_eq!(out, notice::text(&facts, Audience::Pupils).into_bytes());

        let file = folder.path().join("mine.html");
        show(&args(Some(file.clone())), &public, &mut Vec::new()).unwrap();
        let html = crate::state::read_bounded(&file, 1 << 20).unwrap().unwrap();
        assert_eq!(html, notice::html(&facts, Audience::Pupils, false).into_bytes());
    }
}
