use super::*;

fn name(part: &str) -> Name {
    Name::new("test", &[part.as_bytes()])
}

#[tokio::test(start_paused = true)]
async fn a_value_is_there_until_its_time_is_over() {
    let store = Store::memory();
    let put = |_: Option<u32>| (Change::Put(7, Duration::from_secs(10)), ());
    store.update(&name("a"), put).await.unwrap();
    assert_eq!(store.get::<u32>(&name("a")).await, Ok(Some(7)));
    assert_eq!(store.get::<u32>(&name("b")).await, Ok(None));
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(store.get::<u32>(&name("a")).await, Ok(None));
}

#[tokio::test]
async fn no_change_is_lost_where_many_change_one_value() {
    let store = Store::memory();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let store = store.clone();
        tasks.spawn(async move {
            let add = |value: Option<u32>| (Change::Put(value.unwrap_or(0) + 1, Duration::from_secs(9)), ());
            store.update(&name("a"), add).await.unwrap();
        });
    }
    tasks.join_all().await;
    assert_eq!(store.get::<u32>(&name("a")).await, Ok(Some(50)));
}

#[tokio::test(start_paused = true)]
async fn a_window_counts_from_its_first_to_its_end() {
    let store = Store::memory();
    let window = Duration::from_mins(1);
    for (number, left) in [(1, 60), (2, 45), (3, 30)] {
        let counted = Counted { number, left: Duration::from_secs(left) };
        assert_eq!(store.count(&name("a"), window).await, Ok(counted));
        tokio::time::advance(Duration::from_secs(15)).await;
    }
    tokio::time::advance(Duration::from_secs(15)).await;
    assert_eq!(store.count(&name("a"), window).await, Ok(Counted { number: 1, left: window }));
}

#[tokio::test]
async fn a_change_between_the_look_and_the_wait_is_not_missed() {
    let store = Store::memory();
    let changed = store.changed();
    store.update(&name("a"), |_: Option<u32>| (Change::Put(1, Duration::from_secs(9)), ())).await.unwrap();
    changed.await;
}

/// A backend that cannot be reached.
#[derive(Debug)]
struct Gone;

impl Backend for Gone {
    fn get<'a>(&'a self, _: &'a Name) -> BoxFuture<'a, Result<Option<Kept>, StoreError>> {
        Box::pin(async { Err(StoreError::Gone) })
    }

    fn swap<'a>(
        &'a self,
        _: &'a Name,
        _: Option<Version>,
        _: Option<(Vec<u8>, Duration)>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async { Err(StoreError::Gone) })
    }

    fn count<'a>(&'a self, _: &'a Name, _: Duration) -> BoxFuture<'a, Result<Counted, StoreError>> {
        Box::pin(async { Err(StoreError::Gone) })
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

impl Store {
    /// One that cannot be reached, for the tests of those who use a store.
    pub(crate) fn gone() -> Self {
        Self(Arc::new(Gone))
    }
}
