//! The logs source from outside.

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test reads back what lies in its own folders")]
mod formats;
