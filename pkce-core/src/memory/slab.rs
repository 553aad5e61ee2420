//! The slab: places for records, in chunks that are never copied, and freed when they are empty.

use crate::memory::index::NUMBERS;
use crate::memory::record::{NOWHERE, Record};
use crate::memory::room::Weight;

/// Records in a chunk. On average a shard has half a chunk too many: 1 % of a full shard.
const CHUNK: u32 = 64;

/// Records under numbers. A record keeps its number; the number of a removed record is used again.
///
/// * Growing never moves a record (but for the few of the first chunk), so no call copies them all.
/// * A chunk is freed with its last record, whatever the others hold. Codes expire in about the order in which they were
///   inserted, so chunks do become empty.
pub(super) struct Slab {
    chunks: Vec<Chunk>,
    /// The first chunk that has room; each names the next.
    open: u32,
    len: u32,
}

/// It is in the list of the open ones if and only if fewer than all of its places are used.
struct Chunk {
    /// Without memory while no place is used.
    records: Vec<Record>,
    used: u32,
    /// The first of the free places among `records`; [`Record::next`] names the next.
    free: u32,
    next_open: u32,
}

impl Slab {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), open: NOWHERE, len: 0 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<&Record> {
        let (chunk, place) = address(number);
        self.chunks.get(chunk)?.records.get(place)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Record> {
        let (chunk, place) = address(number);
        self.chunks.get_mut(chunk)?.records.get_mut(place)
    }

    /// Returns the number of the record's place, or `None` if there are no more numbers.
    pub(super) fn insert(&mut self, record: Record) -> Option<u32> {
        if self.open == NOWHERE {
            self.open = u32::try_from(self.chunks.len()).ok().filter(|&chunk| chunk < NUMBERS / CHUNK)?;
            self.chunks.push(Chunk::new());
        }
        let is_first = self.chunks.len() == 1;
        let index = self.open;
        let chunk = self.chunks.get_mut(index as usize)?;
        let place = chunk.insert(record, is_first)?;
        if chunk.used == CHUNK {
            self.open = chunk.next_open;
        }
        self.len += 1;
        Some(index * CHUNK + place)
    }

    /// Frees a place, and returns the weight of its record.
    pub(super) fn remove(&mut self, number: u32) -> Weight {
        let Some(chunk) = self.chunks.get_mut((number / CHUNK) as usize) else { return Weight::default() };
        if chunk.used == CHUNK {
            chunk.next_open = self.open;
            self.open = number / CHUNK;
        }
        let weight = chunk.remove(number % CHUNK);
        self.len -= 1;
        if self.len == 0 {
            *self = Self::new();
        }
        weight
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let records: usize = self.chunks.iter().map(|chunk| chunk.records.capacity()).sum();
        self.chunks.capacity() * size_of::<Chunk>() + records * size_of::<Record>()
    }
}

impl Chunk {
    const fn new() -> Self {
        Self { records: Vec::new(), used: 0, free: NOWHERE, next_open: NOWHERE }
    }

    fn insert(&mut self, record: Record, is_first: bool) -> Option<u32> {
        let place = if self.free == NOWHERE {
            // A shard with a handful of codes is not charged for a whole chunk: its first one grows by doubling.
            if !is_first && self.records.capacity() == 0 {
                self.records.reserve_exact(CHUNK as usize);
            }
            self.records.push(record);
            self.used
        } else {
            let place = self.free;
            let free = self.records.get_mut(place as usize)?;
            self.free = free.next;
            *free = record;
            place
        };
        self.used += 1;
        Some(place)
    }

    fn remove(&mut self, place: u32) -> Weight {
        let Some(record) = self.records.get_mut(place as usize) else { return Weight::default() };
        let weight = record.weight();
        self.used -= 1;
        if self.used == 0 {
            self.records = Vec::new();
            self.free = NOWHERE;
        } else {
            record.drop_grant();
            record.next = self.free;
            self.free = place;
        }
        weight
    }
}

/// The chunk and the place in it.
#[inline]
const fn address(number: u32) -> (usize, usize) {
    ((number / CHUNK) as usize, (number % CHUNK) as usize)
}
