//! Values that are each known by a place: to put one in, and to take it out again, costs the same however many there
//! are.

/// Values, each in a place of its own.
///
/// Which place a value gets depends on nothing but the order in which values came and went.
#[derive(Debug)]
pub(crate) struct Places<T> {
    places: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Places<T> {
    /// Puts a value into a free place.
    pub(crate) fn insert(&mut self, value: T) -> usize {
        let place = self.free.pop().unwrap_or(self.places.len());
        match self.places.get_mut(place) {
            Some(free) => *free = Some(value),
            None => self.places.push(Some(value)),
        }
        place
    }

    /// Takes out the value in this place, if it is the one that is meant: the place may be another's by now.
    pub(crate) fn remove_if(&mut self, place: usize, is_meant: impl FnOnce(&T) -> bool) -> Option<T> {
        let value = self.places.get_mut(place)?.take_if(|value| is_meant(value))?;
        self.free.push(place);
        Some(value)
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// The values, in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten()
    }
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_again_and_takes_out_only_who_is_meant() {
        let mut places = Places::default();
        let (a, b) = (places.insert('a'), places.insert('b'));
        assert_eq!(places.remove_if(a, |value| *value == 'a'), Some('a'));
        assert_eq!(places.remove_if(a, |_| true), None, "it is free");
        assert_eq!(places.insert('c'), a);
        assert_eq!(places.remove_if(a, |value| *value == 'a'), None, "it is another's");
        assert_eq!((places.len(), places.iter().collect::<String>()), (2, "cb".to_owned()));
        assert_eq!(places.remove_if(b, |_| true), Some('b'));
        assert_eq!(places.remove_if(7, |_| true), None);
    }
}
