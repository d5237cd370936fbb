//! Values that are each known by a slot: to put one in, and to take it out again, costs the same however many there
//! are.

/// Values, each in a slot of its own.
///
/// Which slot a value gets depends on nothing but the order in which values came and went.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Slab<T> {
    /// Puts a value into a free slot.
    pub(crate) fn insert(&mut self, value: T) -> usize {
        let slot = self.free.pop().unwrap_or(self.slots.len());
        match self.slots.get_mut(slot) {
            Some(free) => *free = Some(value),
            None => self.slots.push(Some(value)),
        }
        slot
    }

    /// Takes out the value in this slot, if it is the one that is meant: the slot may be another's by now.
    pub(crate) fn remove_if(&mut self, slot: usize, is_meant: impl FnOnce(&T) -> bool) -> Option<T> {
        let value = self.slots.get_mut(slot)?.take_if(|value| is_meant(value))?;
        self.free.push(slot);
        Some(value)
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The values, in the order of their slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flatten()
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_again_and_takes_out_only_who_is_meant() {
        let mut slots = Slab::default();
        let (a, b) = (slots.insert('a'), slots.insert('b'));
        assert_eq!(slots.remove_if(a, |value| *value == 'a'), Some('a'));
        assert_eq!(slots.remove_if(a, |_| true), None, "it is free");
        assert_eq!(slots.insert('c'), a);
        assert_eq!(slots.remove_if(a, |value| *value == 'a'), None, "it is another's");
        assert_eq!((slots.len(), slots.iter().collect::<String>()), (2, "cb".to_owned()));
        assert_eq!(slots.remove_if(b, |_| true), Some('b'));
        assert_eq!(slots.remove_if(7, |_| true), None);
    }
}
