//! Native messaging from outside: the built program as a browser starts it, a real socket, the real source,
//! and peers that mean no good. On Windows the socket is a named pipe, and no test can be another account.

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
