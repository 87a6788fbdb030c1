//! The request ids of the last minutes.

use std::collections::{HashSet, VecDeque};

use jiff::Timestamp;
use uuid::Uuid;

use super::REQUEST_ID_MEMORY;

/// Most ids that are remembered: 800 requests a second. Beyond it the oldest is forgotten.
const MAX_SEEN: usize = 480_000;

/// Ids with the time of their first use, oldest first.
#[derive(Default)]
pub(super) struct Seen {
    ids: HashSet<Uuid>,
    order: VecDeque<(Uuid, Timestamp)>,
}

impl Seen {
    /// Remembers an id; false where it is remembered already.
    pub(super) fn first_time(&mut self, id: Uuid, now: Timestamp) -> bool {
        while let Some((oldest, at)) = self.order.front().copied() {
            if now.duration_since(at) < REQUEST_ID_MEMORY && self.order.len() < MAX_SEEN {
                break;
            }
            self.ids.remove(&oldest);
            self.order.pop_front();
        }
        let new = self.ids.insert(id);
        if new {
            self.order.push_back((id, now));
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_again_after_ten_minutes() {
        let mut seen = Seen::default();
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let id = Uuid::from_u128(1);
        assert!(seen.first_time(id, at(0)));
        assert!(!seen.first_time(id, at(599)));
        assert!(seen.first_time(id, at(600)));
        assert!(!seen.first_time(id, at(601)));
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut seen = Seen::default();
        for number in 0..=MAX_SEEN as u128 {
            assert!(seen.first_time(Uuid::from_u128(number), Timestamp::UNIX_EPOCH));
        }
        assert_eq!((seen.ids.len(), seen.order.len()), (MAX_SEEN, MAX_SEEN));
        assert!(seen.first_time(Uuid::from_u128(0), Timestamp::UNIX_EPOCH));
    }
}
