//! How many connections each client address has open, so that one cannot take all of them.
//!
//! An IPv6 client has a whole /64 to itself, so that counts as one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The counts.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most: usize,
}

/// A connection that counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    addresses: Addresses,
    key: IpAddr,
}

impl Addresses {
    /// At most so many for each.
    pub(crate) fn new(most: usize) -> Self {
        Self { open: Arc::default(), most }
    }

    /// Counts one more; `None` where there are as many as may be.
    pub(crate) fn count(&self, address: IpAddr) -> Option<Counted> {
        let key = key(address);
        let mut open = self.lock();
        let count = open.entry(key).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Counted { addresses: self.clone(), key })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.addresses.lock();
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

/// What an address counts as.
fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_own_count_and_gives_it_back() {
        let addresses = Addresses::new(2);
        let one = addresses.count(address("192.0.2.1")).unwrap();
        let _other = addresses.count(address("192.0.2.1")).unwrap();
        assert!(addresses.count(address("192.0.2.1")).is_none());
        assert!(addresses.count(address("::ffff:192.0.2.1")).is_none(), "the same address in IPv6");
        assert!(addresses.count(address("192.0.2.2")).is_some());
        drop(one);
        assert!(addresses.count(address("192.0.2.1")).is_some());
        assert_eq!(addresses.lock().len(), 1, "what is not open is not kept");
    }

    #[test]
    fn an_ipv6_client_does_not_get_more_by_changing_its_last_half() {
        let addresses = Addresses::new(1);
        let _one = addresses.count(address("2001:db8::1")).unwrap();
        assert!(addresses.count(address("2001:db8::ffff:1")).is_none());
        assert!(addresses.count(address("2001:db8:0:1::1")).is_some());
    }
}
