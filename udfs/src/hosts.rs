//! How many requests may be in flight to one host, whichever functions of the process send them.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// All hosts of the process, by name and port.
#[derive(Debug, Default)]
pub struct Hosts(Mutex<HashMap<String, Weak<Host>>>);

impl Hosts {
    /// Counts one more function that calls the host of `endpoint`. Every function on a host shares its places, whether it
    /// gives a bound or not; the smallest bound that a living function gave holds, and without one there is none.
    pub(crate) fn join(&self, endpoint: &Url, bound: Option<NonZeroUsize>) -> Member {
        let port = endpoint.port_or_known_default().unwrap_or_default();
        let name = format!("{}:{port}", endpoint.host_str().unwrap_or_default());
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|_, host| host.strong_count() > 0);
        let host = hosts.get(&name).and_then(Weak::upgrade).unwrap_or_else(|| {
            let host = Arc::new(Host::default());
            hosts.insert(name, Arc::downgrade(&host));
            host
        });
        host.change_bounds(|bounds| bounds.extend(bound));
        Member { host, bound }
    }
}

/// One host: its places, and the bounds that functions gave.
#[derive(Debug)]
struct Host {
    places: Arc<Semaphore>,
    bounds: Mutex<Bounds>,
}

#[derive(Debug)]
struct Bounds {
    given: Vec<NonZeroUsize>,
    /// Places there are, in use or free; more than the bound where too many were in use when it came down.
    size: usize,
}

impl Default for Host {
    fn default() -> Self {
        let size = Semaphore::MAX_PERMITS;
        Host { places: Arc::new(Semaphore::new(size)), bounds: Mutex::new(Bounds { given: Vec::new(), size }) }
    }
}

impl Bounds {
    fn most(&self) -> usize {
        self.given.iter().min().map_or(Semaphore::MAX_PERMITS, |most| most.get().min(Semaphore::MAX_PERMITS))
    }
}

impl Host {
    fn bounds(&self) -> MutexGuard<'_, Bounds> {
        self.bounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_bounds(&self, change: impl FnOnce(&mut Vec<NonZeroUsize>)) {
        let mut bounds = self.bounds();
        change(&mut bounds.given);
        let most = bounds.most();
        if most > bounds.size {
            self.places.add_permits(most - bounds.size);
            bounds.size = most;
        } else {
            bounds.size -= self.places.forget_permits(bounds.size - most);
        }
    }
}

/// A function among those that call a host; its bound holds while it lives.
#[derive(Debug)]
pub(crate) struct Member {
    host: Arc<Host>,
    bound: Option<NonZeroUsize>,
}

impl Member {
    /// A place at the host, in the order of asking.
    pub async fn place(&self) -> HostPlace {
        let place = Arc::clone(&self.host.places).acquire_owned().await.ok();
        HostPlace { host: Arc::clone(&self.host), place }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let Some(bound) = self.bound else { return };
        self.host.change_bounds(|given| {
            if let Some(at) = given.iter().position(|one| *one == bound) {
                given.swap_remove(at);
            }
        });
    }
}

/// A place at a host, given back when dropped.
#[derive(Debug)]
pub(crate) struct HostPlace {
    host: Arc<Host>,
    place: Option<OwnedSemaphorePermit>,
}

impl Drop for HostPlace {
    fn drop(&mut self) {
        let mut bounds = self.host.bounds();
        let too_many = bounds.size > bounds.most();
        if let Some(place) = self.place.take_if(|_| too_many) {
            place.forget();
            bounds.size -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(hosts: &Hosts, url: &str, bound: usize) -> Member {
        hosts.join(&Url::parse(url).unwrap(), NonZeroUsize::new(bound))
    }

    fn free(member: &Member) -> usize {
        member.host.places.available_permits()
    }

    #[tokio::test]
    async fn the_smallest_bound_of_living_functions_holds_for_all_of_a_host() {
        let hosts = Hosts::default();
        let unbounded = join(&hosts, "https://api.example/a", 0);
        assert_eq!(free(&unbounded), Semaphore::MAX_PERMITS);
        let wide = join(&hosts, "https://api.example:443/b", 5);
        let narrow = join(&hosts, "https://API.example/c", 2);
        let elsewhere = join(&hosts, "http://api.example/c", 9);
        assert_eq!((free(&unbounded), free(&wide), free(&narrow), free(&elsewhere)), (2, 2, 2, 9));
        drop(narrow);
        assert_eq!(free(&unbounded), 5);
        drop(wide);
        assert_eq!(free(&unbounded), Semaphore::MAX_PERMITS);
    }

    #[tokio::test]
    async fn a_bound_that_comes_down_takes_places_as_they_are_given_back() {
        let hosts = Hosts::default();
        let wide = join(&hosts, "http://api.example/", 4);
        let mut in_use = Vec::new();
        for _ in 0..3 {
            in_use.push(wide.place().await);
        }
        let narrow = join(&hosts, "http://api.example/", 1);
        for left in [0, 0, 1] {
            in_use.pop();
            assert_eq!(free(&narrow), left);
        }
        in_use.push(narrow.place().await);
        drop(narrow);
        assert_eq!(free(&wide), 3);
        drop(in_use);
        assert_eq!(free(&wide), 4);
    }

    #[test]
    fn a_host_that_nobody_calls_is_forgotten() {
        let hosts = Hosts::default();
        drop(join(&hosts, "http://a.example/", 1));
        let _b = join(&hosts, "http://b.example/", 1);
        assert_eq!(hosts.0.lock().unwrap().len(), 1);
    }
}
