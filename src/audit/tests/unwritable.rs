//! A trail whose disk is full, or whose folder is gone.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[tokio::test]
async fn a_folder_that_is_gone_is_said_so_and_back_is_back() {
    let place = Place::new(None);
    let folder = place.folder.path().join("trails");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("audit.log");
    let trail = Trail::open(&path, None, facts()).unwrap();
    trail.record(&read(1), false).await.unwrap();
    fs::remove_dir_all(&folder).unwrap();
    for _ in 0..2 {
        assert_eq!(trail.record(&read(2), true).await, Err(Unwritable));
    }
    fs::create_dir(&folder).unwrap();
    assert_eq!(trail.record(&read(3), true).await, Ok(4), "numbers go on");
    trail.close().await;
    let lines: Vec<serde_json::Value> =
        fs::read_to_string(&path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["event"], &lines[0]["lines"]), (&"unrecorded".into(), &2.into()));
    assert_eq!(lines[1]["resource"], "3");
    let found = verify(std::slice::from_ref(&path), &VerifyOptions::default()).unwrap_err();
    assert!(matches!(found, Found::At { wrong: Wrong::NotFirst { found: 3 }, .. }), "what is gone is missed");
}

/// A disk that is full while it is told so: half of what is written to it arrives, and stays unless it is cut back.
struct Disk {
    file: TrailFile,
    is_full: Arc<AtomicBool>,
}

impl Medium for Disk {
    fn put(&mut self, lines: &[u8], durable: bool) -> io::Result<()> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.put(lines, durable)
    }

    fn next(&self) -> Result<Option<Box<dyn Medium>>, OpenError> {
        Ok(None)
    }
}

#[tokio::test]
async fn a_full_disk_refuses_what_waits_and_counts_it() {
    let place = Place::new(None);
    let opened = TrailFile::open(&place.path(), &Hasher::Plain).unwrap();
    let is_full = Arc::new(AtomicBool::new(false));
    let disk = Disk { file: opened.file, is_full: Arc::clone(&is_full) };
    let start = Own::Start { torn_bytes: None };
    let trail = Trail::on(Box::new(disk), Hasher::Plain, opened.head, None, facts(), start).unwrap();
    trail.record(&read(1), false).await.unwrap();
    is_full.store(true, Ordering::SeqCst);
    trail.note(&read(2));
    assert_eq!(trail.record(&read(3), true).await, Err(Unwritable));
    is_full.store(false, Ordering::SeqCst);
    trail.record(&read(4), true).await.unwrap();
    trail.close().await;
    assert_eq!(trail.record(&read(5), true).await, Err(Unwritable), "closed");
    let verified = place.verify(&[&place.path()], None).unwrap();
    assert_eq!(verified.lines, 5, "start, 1, unrecorded, 4, stop");
    assert!(place.lines()[2].contains(r#""event":"unrecorded","lines":2"#), "{}", place.lines()[2]);
}
