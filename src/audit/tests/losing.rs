//! A disk that is too slow: lines are lost, and the log hears of it once.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use super::*;

/// Writes nothing while somebody holds this.
struct Held(Arc<Mutex<()>>);

impl Medium for Held {
    fn put(&mut self, _: &[u8], _: bool) -> io::Result<()> {
        let _held = self.0.lock();
        Ok(())
    }

    fn next(&self) -> Result<Option<Box<dyn Medium>>, OpenError> {
        Ok(None)
    }
}

#[tokio::test]
async fn the_log_hears_once_of_lines_that_are_lost_until_none_wait() {
    let disk = Arc::new(Mutex::new(()));
    let opened = tempfile::tempdir().unwrap();
    let head = TrailFile::open(&opened.path().join("x"), &Hasher::new(None)).unwrap().head;
    let start = Own::Start { torn_bytes: None };
    let medium = Box::new(Held(Arc::clone(&disk)));
    let trail = Trail::on(medium, Hasher::new(None), head, None, facts(), start).unwrap();
    let inner = trail.0.as_ref().unwrap();
    for _ in 0..2 {
        let busy = disk.lock().unwrap();
        // As many as wait, and as are taken at once, and one more.
        for number in 0..=MAX_WAITING + 1024 {
            trail.note(&read(number));
        }
        assert!(inner.is_losing.load(Ordering::SeqCst), "the first one is told");
        assert!(!inner.loses() && !inner.loses(), "and no further one");
        drop(busy);
        trail.record(&read(0), false).await.unwrap();
        assert!(!inner.is_losing.load(Ordering::SeqCst), "all are written: the next one is told again");
    }
}
