//! The series of a metric whose labels have a few fixed values.

use std::sync::OnceLock;

use metrics::{Key, Label};

/// A label: its name and its value.
pub(crate) type Pair = (&'static str, &'static str);

/// The series that one place in the code counts. Each is made when it is first needed, because making one allocates and
/// hashes, which would be most of the cost of a count that nobody records.
///
/// A list, because the values are few and the usual ones come first.
pub(crate) struct Series {
    metric: &'static str,
    first: OnceLock<Box<One>>,
}

struct One {
    labels: Box<[Pair]>,
    key: Key,
    next: OnceLock<Box<Self>>,
}

impl Series {
    pub(crate) const fn of(metric: &'static str) -> Self {
        Self { metric, first: OnceLock::new() }
    }

    /// The key of the series with these labels.
    pub(crate) fn key(&self, labels: &[Pair]) -> &Key {
        let mut place = &self.first;
        loop {
            let one = place.get_or_init(|| Box::new(One::new(self.metric, labels)));
            if one.has(labels) {
                return &one.key;
            }
            place = &one.next;
        }
    }
}

impl One {
    /// The names are the same in one place, and a value is most often the very same one.
    fn has(&self, labels: &[Pair]) -> bool {
        self.labels.len() == labels.len()
            && self.labels.iter().zip(labels).all(|(&(_, own), &(_, other))| std::ptr::eq(own, other) || own == other)
    }

    fn new(metric: &'static str, labels: &[Pair]) -> Self {
        let pairs: Vec<Label> = labels.iter().map(|&(name, value)| Label::from_static_parts(name, value)).collect();
        // Retained, because a recorder keeps a copy, and the one for Prometheus makes one for every count.
        Self { labels: labels.into(), key: Key::from_parts(metric, pairs).to_retained(), next: OnceLock::new() }
    }
}
