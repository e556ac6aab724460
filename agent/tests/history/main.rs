//! The history source from outside: a device with accounts and browsers is laid out in a temporary
//! folder, browsers write to their databases as real ones do, and the source is run against it.

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test reads back what lies in its own folders")]
mod capture;
#[cfg(test)]
mod device;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test reads back what lies in its own folders")]
mod follow;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test reads back what lies in its own folders")]
mod hostile;
