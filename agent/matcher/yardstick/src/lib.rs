//! What the matcher is measured with, and nothing that a device runs: Hyperscan, which is loaded
//! when a benchmark asks for it, and a count of the bytes on the heap.
//!
//! It is a crate of its own because both need `unsafe`, which the matcher forbids.

mod heap;
mod hyperscan;

pub use heap::CountedHeap;
pub use hyperscan::{Hyperscan, HyperscanError, Meaning};
