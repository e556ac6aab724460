//! Native messaging from outside: the built program as a browser starts it, a real socket, the real source,
//! and peers that mean no good. The named pipe of Windows is tried elsewhere, under Wine.

#![cfg(unix)]

#[cfg(test)]
mod agent;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod once;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod source;
