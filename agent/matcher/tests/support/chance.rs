//! Chance that is the same in every run.

/// A linear congruential generator (Knuth, MMIX), its upper bits.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    /// Begins anew for each text, so that one more text changes no other.
    pub fn of(text: &str, disguise: &str) -> Self {
        let seed =
            text.bytes().chain(disguise.bytes()).fold(0xcbf2_9ce4_8422_2325, |seed, byte| {
                (seed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        Self(seed)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound.max(1)
    }

    pub fn one_of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}
