//! The logs source from outside.

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test reads back what lies in its own folders")]
mod formats;
// Rotation as Unix has it: a file that is open is renamed and deleted.
#[cfg(unix)]
#[cfg(test)]
mod follow;
#[cfg(unix)]
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test reads back what lies in its own folders")]
mod host;
