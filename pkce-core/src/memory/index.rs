//! The index of a shard: from the hash of a code to the number of its record.

/// Never filled. The search for a code ends here.
const EMPTY: u32 = u32::MAX;

/// Emptied, but a search continues after it.
const GONE: u32 = u32::MAX - 1;

/// The bits of a cell that are the number; the others are the tag.
const NUMBER: u32 = (1 << 20) - 1;

/// Numbers must be below this: a million to a shard, of which a full one should have 4096.
pub(super) const NUMBERS: u32 = NUMBER - 1;

/// The cells when there is anything to find.
const FEWEST: usize = 8;

/// An open-addressing table of numbers with linear probing.
///
/// A cell is four bytes: a tag of 12 bits of the hash, and the number. With both in one place a lookup costs one cache
/// miss before the record, where a table with separate tags costs two. The index does not know the codes: the caller
/// says which number is the right one.
pub(super) struct Index {
    /// None, or a power of two of them; at most seven in eight are not empty.
    cells: Box<[u32]>,
    used: usize,
    gone: usize,
}

impl Index {
    pub(super) fn new() -> Self {
        Self { cells: Box::default(), used: 0, gone: 0 }
    }

    /// The number under this hash that `is_it`.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.position(hash, is_it).and_then(|position| self.cells.get(position)).map(|&cell| number(cell))
    }

    /// Adds a number that is not in it. `rehash` tells the hash of a number that is.
    pub(super) fn insert(&mut self, hash: u64, number: u32, rehash: impl Fn(u32) -> u64) {
        if (self.used + self.gone + 1) * 8 > self.cells.len() * 7 {
            // With a quarter of the cells to be had from those that are gone it is enough to tidy up.
            let grows = (self.used + 1) * 8 > self.cells.len() * 5;
            self.rebuild(if grows { self.cells.len() * 2 } else { self.cells.len() }, rehash);
        }
        self.fill(hash, number);
    }

    /// Removes a number that was inserted under this hash.
    pub(super) fn remove(&mut self, hash: u64, number: u32, rehash: impl Fn(u32) -> u64) {
        let Some(position) = self.position(hash, |other| other == number) else { return };
        self.used -= 1;
        if self.used == 0 {
            *self = Self::new();
        } else if self.used * 16 < self.cells.len() {
            self.set(position, GONE);
            self.rebuild(self.cells.len() / 4, rehash);
        } else {
            self.vacate(position);
        }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.cells)
    }

    #[inline]
    fn position(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<usize> {
        let (mut position, tag) = (self.home(hash), tag(hash));
        loop {
            match *self.cells.get(position)? {
                EMPTY => return None,
                cell if cell & !NUMBER == tag && cell != GONE && is_it(number(cell)) => return Some(position),
                _ => position = self.after(position),
            }
        }
    }

    /// A cell that is followed by an empty one stops no search: it becomes empty, and so do those gone before it.
    fn vacate(&mut self, mut position: usize) {
        if self.cells.get(self.after(position)) != Some(&EMPTY) {
            self.gone += 1;
            return self.set(position, GONE);
        }
        self.set(position, EMPTY);
        loop {
            position = position.wrapping_sub(1) & self.cells.len().wrapping_sub(1);
            if self.cells.get(position) != Some(&GONE) {
                break;
            }
            self.gone -= 1;
            self.set(position, EMPTY);
        }
    }

    #[cold]
    fn rebuild(&mut self, cells: usize, rehash: impl Fn(u32) -> u64) {
        let fresh = vec![EMPTY; cells.max(FEWEST)].into_boxed_slice();
        let old = std::mem::replace(self, Self { cells: fresh, used: 0, gone: 0 });
        for &cell in old.cells.iter().filter(|&&cell| cell < GONE) {
            self.fill(rehash(number(cell)), number(cell));
        }
    }

    fn fill(&mut self, hash: u64, number: u32) {
        let mut position = self.home(hash);
        while self.cells.get(position).is_some_and(|&cell| cell < GONE) {
            position = self.after(position);
        }
        self.gone -= usize::from(self.cells.get(position) == Some(&GONE));
        self.used += 1;
        self.set(position, tag(hash) | number);
    }

    fn set(&mut self, position: usize, cell: u32) {
        if let Some(old) = self.cells.get_mut(position) {
            *old = cell;
        }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are all it takes")]
    fn home(&self, hash: u64) -> usize {
        hash as usize & self.cells.len().wrapping_sub(1)
    }

    #[inline]
    fn after(&self, position: usize) -> usize {
        (position + 1) & self.cells.len().wrapping_sub(1)
    }
}

/// The high bits of the hash, where the tag has its place in a cell.
#[inline]
const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32 & !NUMBER
}

#[inline]
const fn number(cell: u32) -> u32 {
    cell & NUMBER
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Few homes and fewer tags: every number is in everybody's way.
    fn crowded(number: u32) -> u64 {
        u64::from(number % 61) | u64::from(number % 3) << 60
    }

    #[test]
    fn it_finds_what_was_inserted_and_nothing_that_was_removed() {
        for rehash in [crowded, |number| u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15)] {
            let (mut index, mut model, mut dice) = (Index::new(), HashSet::new(), 1_u64);
            for step in 0..30_000_u32 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let (number, crowd) = ((dice >> 33) as u32 % 700, if step / 5_000 % 2 == 0 { 3 } else { 1 });
                if (dice >> 20) % 4 < crowd {
                    if model.insert(number) {
                        index.insert(rehash(number), number, rehash);
                    }
                } else if model.remove(&number) {
                    index.remove(rehash(number), number, rehash);
                }
                let found = index.find(rehash(number), |other| other == number);
                assert_eq!(found.is_some(), model.contains(&number));
                assert_eq!(index.used, model.len());
                assert_eq!(index.gone, index.cells.iter().filter(|&&cell| cell == GONE).count());
                assert!((index.used + index.gone) * 8 <= index.cells.len() * 7);
            }
            assert!((0..700).all(|it| index.find(rehash(it), |other| other == it).is_some() == model.contains(&it)));
            for number in model {
                index.remove(rehash(number), number, rehash);
            }
            assert_eq!(index.bytes(), 0);
        }
    }
}
