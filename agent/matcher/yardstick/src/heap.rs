//! The system's allocator with a count of the bytes that are held.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator; counts what is held. Make it the `#[global_allocator]` of a benchmark.
#[derive(Debug)]
pub struct CountedHeap {
    held: AtomicUsize,
}

impl CountedHeap {
    /// Counts from nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { held: AtomicUsize::new(0) }
    }

    /// Gives the bytes that are held, as they were asked for.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

impl Default for CountedHeap {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: every call is handed to `System` as it came; counting allocates nothing.
unsafe impl GlobalAlloc for CountedHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.held.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps `GlobalAlloc::alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.held.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `pointer` came from `System` by `alloc` above, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static HEAP: CountedHeap = CountedHeap::new();

    #[test]
    fn what_is_held_is_counted_until_it_is_dropped() {
        let before = HEAP.held();
        let block = vec![0_u8; 1 << 24];
        assert!(HEAP.held() >= before + block.len());
        drop(block);
        assert!(HEAP.held() < before + (1 << 24));
    }
}
