//! What is written is whole, what is tampered with is found, and what cannot be written is said to be.

mod losing;
mod unwritable;

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::secret::Secret;
use verify::Wrong;

fn key(text: &str) -> AuditKey {
    AuditKey::new(&Secret::fixed(&text.repeat(43))).unwrap()
}

fn facts() -> Facts {
    Facts::new("sandbox", [("a.yml", "text")].into_iter())
}

/// A trail in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
    key: Option<AuditKey>,
}

impl Place {
    fn new(key: Option<AuditKey>) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), key }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("audit.log")
    }

    fn open(&self) -> Trail {
        Trail::open(&self.path(), self.key.as_ref(), facts()).unwrap()
    }

    fn verify(&self, files: &[&Path], head: Option<Hash>) -> Result<Verified, Found> {
        let files: Vec<PathBuf> = files.iter().map(|path| path.to_path_buf()).collect();
        verify(&files, &VerifyOptions { key: self.key.clone(), head, after: None })
    }

    /// What is wrong, and on which line.
    fn wrong(&self, head: Option<Hash>) -> (u64, Wrong) {
        match self.verify(&[&self.path()], head).unwrap_err() {
            Found::At { line, wrong, .. } => (line, wrong),
            other => panic!("{other}"),
        }
    }

    fn lines(&self) -> Vec<String> {
        fs::read_to_string(self.path()).unwrap().lines().map(str::to_owned).collect()
    }

    fn rewrite(&self, lines: &[String]) {
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        fs::write(self.path(), text).unwrap();
    }

    /// A closed trail of so many resource lines, between its first and its last line.
    async fn filled(key: Option<AuditKey>, count: usize) -> Self {
        let place = Self::new(key);
        let trail = place.open();
        for number in 0..count {
            trail.record(&read(number), false).await.unwrap();
        }
        trail.close().await;
        place
    }
}

fn read(number: usize) -> Event {
    Event::Resource { principal: "local".to_owned(), client: None, resource: number.to_string() }
}

/// The same lines as anybody can make them who has no key: every hash is made anew.
fn rehashed(lines: &[String]) -> Vec<String> {
    let (mut head, mut made) = (Head::NONE, Vec::new());
    for line in lines {
        let inner = &line[line.find(",\"event\"").unwrap() + 1..line.find(",\"previous\"").unwrap()];
        let line = head.extend(&Hasher::Plain, jiff::Timestamp::UNIX_EPOCH, inner);
        made.push(String::from_utf8(line).unwrap().trim_end().to_owned());
    }
    made
}

#[tokio::test]
async fn what_is_written_is_whole_and_goes_on_after_a_restart() {
    for key in [None, Some(key("a"))] {
        let place = Place::filled(key, 3).await;
        let again = place.open();
        let kept = again.head().unwrap();
        again.record(&read(9), true).await.unwrap();
        again.close().await;
        let verified = place.verify(&[&place.path()], Some(kept.hash)).unwrap();
        assert_eq!((verified.lines, verified.head.seq, verified.after_head), (8, 8, Some(2)));
        let first: serde_json::Value = serde_json::from_str(&place.lines()[0]).unwrap();
        assert_eq!((&first["event"], &first["environment"]), (&"start".into(), &"sandbox".into()));
        assert_eq!(first["capability_files"]["a.yml"].as_str().unwrap().len(), 64);
        let line: serde_json::Value = serde_json::from_str(&place.lines()[1]).unwrap();
        assert_eq!(line["capabilities"], first["capabilities"]);
    }
}

#[tokio::test]
async fn every_kind_of_tampering_is_found_and_where() {
    for is_keyed in [false, true] {
        let place = Place::filled(is_keyed.then(|| key("a")), 6).await;
        let lines = place.lines();
        let tampered = |change: &dyn Fn(&mut Vec<String>)| {
            let mut changed = lines.clone();
            change(&mut changed);
            place.rewrite(&changed);
            place.wrong(None)
        };
        assert_eq!(tampered(&|lines| lines[3] = lines[3].replace("local", "lokal")), (4, Wrong::Changed));
        assert_eq!(
            tampered(&|lines| lines[0] = lines[0].replace("sandbox", "sandbux")),
            (1, Wrong::ChangedOrOtherKey)
        );
        let last = lines.len() as u64;
        assert_eq!(
            tampered(&|lines| lines[7] = lines[7].replace("\"stop\"", "\"stip\"")),
            (last, Wrong::Changed)
        );
        assert_eq!(tampered(&|lines| drop(lines.remove(3))), (4, Wrong::Missing { expected: 4, found: 5 }));
        assert_eq!(tampered(&|lines| drop(lines.remove(0))), (1, Wrong::NotFirst { found: 2 }));
        assert_eq!(tampered(&|lines| lines.swap(3, 4)), (4, Wrong::Missing { expected: 4, found: 5 }));
        assert_eq!(
            tampered(&|lines| lines.insert(4, lines[3].clone())),
            (5, Wrong::Again { expected: 5, found: 4 })
        );
        assert_eq!(tampered(&|lines| lines[3] = "{\"seq\":4}".to_owned()), (4, Wrong::NoLine));
        assert_eq!(tampered(&|lines| lines[3].truncate(80)), (4, Wrong::NoLine));
        place.rewrite(&lines);
        assert_eq!(place.verify(&[&place.path()], None).unwrap().lines, last);
    }
}

#[tokio::test]
async fn a_line_of_another_chain_of_the_same_key_is_found() {
    let [place, other] = [Place::filled(Some(key("a")), 6).await, Place::filled(Some(key("a")), 6).await];
    let mut lines = place.lines();
    lines[3] = other.lines()[3].clone();
    place.rewrite(&lines);
    assert_eq!(place.wrong(None), (4, Wrong::OtherChain));
}

#[tokio::test]
async fn a_cut_end_is_found_with_the_kept_head() {
    let place = Place::filled(None, 6).await;
    let head = place.verify(&[&place.path()], None).unwrap().head;
    assert_eq!(place.verify(&[&place.path()], Some(head.hash)).unwrap().after_head, Some(0));
    place.rewrite(&place.lines()[..5]);
    let found = place.verify(&[&place.path()], Some(head.hash)).unwrap_err();
    assert!(matches!(found, Found::NoHead { last } if last.seq == 5), "{found}");
    place.rewrite(&[]);
    assert!(matches!(place.verify(&[&place.path()], None), Err(Found::Empty)));
}

#[tokio::test]
async fn a_file_that_was_rewritten_as_a_whole_is_found_with_the_key_or_the_kept_head() {
    let place = Place::filled(None, 6).await;
    let head = place.verify(&[&place.path()], None).unwrap().head;
    let mut lines = place.lines();
    lines.remove(3);
    place.rewrite(&rehashed(&lines));
    assert_eq!(
        place.verify(&[&place.path()], None).unwrap().lines,
        7,
        "neither key nor head: nothing is found"
    );
    assert!(matches!(place.verify(&[&place.path()], Some(head.hash)), Err(Found::NoHead { .. })));

    let keyed = Place::filled(Some(key("a")), 6).await;
    let lines = keyed.lines();
    keyed.rewrite(&rehashed(&lines));
    assert_eq!(keyed.wrong(None), (1, Wrong::ChangedOrOtherKey));
    keyed.rewrite(&lines);
    let other = VerifyOptions { key: Some(key("b")), ..VerifyOptions::default() };
    assert!(verify(&[keyed.path()], &other).is_err(), "another key");
    assert!(verify(&[keyed.path()], &VerifyOptions::default()).is_err(), "no key");
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off_and_the_chain_goes_on() {
    let place = Place::filled(None, 3).await;
    let whole = fs::read(place.path()).unwrap();
    let torn_line = br#"{"seq":6,"time":"2026"#;
    for len in [1, 7, torn_line.len()] {
        fs::write(place.path(), [&whole[..], &torn_line[..len]].concat()).unwrap();
        let verified = place.verify(&[&place.path()], None).unwrap();
        assert_eq!((verified.lines, verified.torn_bytes), (5, Some(len as u64)));
        place.open().close().await;
        let resumed: serde_json::Value = serde_json::from_str(&place.lines()[5]).unwrap();
        assert_eq!((&resumed["seq"], &resumed["torn_bytes"]), (&6.into(), &(len as u64).into()));
        assert_eq!(place.verify(&[&place.path()], None).unwrap().lines, 7);
    }
    fs::write(place.path(), b"{\"se").unwrap();
    place.open().close().await;
    assert_eq!(place.verify(&[&place.path()], None).unwrap().lines, 2, "the very first line was torn");
}

#[tokio::test]
async fn a_file_that_is_no_trail_of_ours_is_refused_and_left_alone() {
    let place = Place::filled(Some(key("a")), 1).await;
    let before = fs::read(place.path()).unwrap();
    let refused = |key: Option<&AuditKey>| Trail::open(&place.path(), key, facts()).unwrap_err();
    assert!(matches!(refused(None), OpenError::OtherKey { .. }));
    assert!(matches!(refused(Some(&key("b"))), OpenError::OtherKey { .. }));
    assert_eq!(fs::read(place.path()).unwrap(), before);
    for strange in ["a diary", "a diary\n", "{}\n", "{\"seq\":1}\n{\"seq\":2}\n"] {
        fs::write(place.path(), strange).unwrap();
        assert!(matches!(refused(None), OpenError::NotOurs { .. }), "{strange}");
        assert_eq!(fs::read_to_string(place.path()).unwrap(), strange);
    }
    let folder = Trail::open(place.folder.path(), None, facts()).unwrap_err();
    assert!(matches!(folder, OpenError::NotAFile { .. }));
    let device = Trail::open(Path::new("/dev/full"), None, facts()).unwrap_err();
    assert!(matches!(device, OpenError::NotAFile { .. }));
    let nowhere = Trail::open(&place.folder.path().join("none/audit.log"), None, facts()).unwrap_err();
    assert!(matches!(nowhere, OpenError::Io { .. }));
}

#[tokio::test]
async fn one_process_has_the_file() {
    let place = Place::new(None);
    let trail = place.open();
    let second = Trail::open(&place.path(), None, facts()).unwrap_err();
    assert!(matches!(second, OpenError::Held { .. }), "{second}");
    trail.close().await;
    place.open().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_at_once_are_one_chain_over_rotations() {
    let place = Place::new(Some(key("a")));
    let trail = place.open();
    let mut writing = tokio::task::JoinSet::new();
    let mut files = Vec::new();
    for number in 0..10_000 {
        let writes = trail.clone();
        writing.spawn(async move { writes.record(&read(number), number % 1000 == 0).await.unwrap() });
        if number % 2_500 == 1_250 {
            // As logrotate does it: away with the file, then the signal.
            let away = place.folder.path().join(format!("audit.log.{number:05}"));
            fs::rename(place.path(), &away).unwrap();
            files.push(away);
            trail.reopen().await;
            // The line behind it says that the new file is there.
            trail.record(&read(number), false).await.unwrap();
        }
    }
    let mut numbers = writing.join_all().await;
    trail.close().await;
    files.push(place.path());
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 10_000);
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let verified = place.verify(&paths, None).unwrap();
    assert_eq!(verified.lines, 10_000 + 4 + 4 + 2);

    let swapped = [paths[1], paths[0], paths[2], paths[3], paths[4]];
    let found = place.verify(&swapped, None).unwrap_err();
    assert!(matches!(found, Found::At { line: 1, wrong: Wrong::NotFirst { .. }, .. }), "{found}");
    let found = place.verify(&[paths[0], paths[2], paths[1], paths[3], paths[4]], None).unwrap_err();
    assert!(matches!(found, Found::At { line: 1, wrong: Wrong::Missing { .. }, .. }), "{found}");
    let found = place.verify(&[paths[0], paths[1], paths[3], paths[4]], None).unwrap_err();
    assert!(matches!(found, Found::At { line: 1, wrong: Wrong::Missing { .. }, .. }), "{found}");
    let found = place.verify(&paths[1..], None).unwrap_err();
    assert!(matches!(found, Found::At { line: 1, wrong: Wrong::NotFirst { .. }, .. }), "{found}");
    let head = place.verify(&paths[..1], None).unwrap().head;
    let options = VerifyOptions { key: place.key.clone(), after: Some(head.hash), head: None };
    assert!(verify(&files[1..], &options).is_ok(), "with the head of what is archived");
    assert!(verify(&files[2..], &options).is_err());
}

#[tokio::test]
async fn a_chain_that_begins_anew_is_not_taken_for_the_same() {
    let place = Place::filled(None, 2).await;
    let away = place.folder.path().join("audit.log.1");
    fs::rename(place.path(), &away).unwrap();
    place.open().close().await;
    let found = place.verify(&[&away, &place.path()], None).unwrap_err();
    assert!(matches!(found, Found::At { line: 1, wrong: Wrong::NewChain, .. }), "{found}");
}

#[tokio::test]
async fn digests_are_the_same_for_the_same_and_need_the_key() {
    let [one, again] = [Place::new(Some(key("a"))), Place::new(Some(key("a")))].map(|place| {
        let digest = place.open().digest(b"FR76");
        (digest, place)
    });
    assert_eq!(one.0, again.0, "with a key they can be compared");
    let [one, other] = [Place::new(None), Place::new(None)].map(|place| place.open().digest(b"FR76"));
    assert_ne!(one, other, "without one each process has its own, which nobody can try out");
    assert!(AuditKey::new(&Secret::fixed("short")).is_err());
    assert!(!format!("{:?}", key("a")).contains("aaa"));
}

#[tokio::test]
async fn writes_without_a_known_outcome_are_found_over_files() {
    let place = Place::new(None);
    let trail = place.open();
    let subject = |id: &str| Subject {
        principal: "ada".to_owned(),
        client: None,
        face: "mcp",
        tool: "verify_identity".to_owned(),
        action: Some("start"),
        targets: Targets { customer_id: Some(id.to_owned()), ..Targets::default() },
        arguments: String::new(),
    };
    let came_to = |effect| CameTo {
        outcome: "x".to_owned(),
        effect: Some(effect),
        repeated: false,
        request_id: Some("request-1".to_owned()),
        milliseconds: 1,
    };
    let mut writes = Vec::new();
    for id in ["cus_1", "cus_2", "cus_3"] {
        let request_id = format!("first-{id}");
        let write = Event::Write { subject: subject(id), approval: None, approver: None, request_id };
        writes.push(trail.record(&write, true).await.unwrap());
    }
    let away = place.folder.path().join("audit.log.1");
    fs::rename(place.path(), &away).unwrap();
    trail.reopen().await;
    for (write, effect) in writes.iter().zip(["applied", "unknown"]) {
        let (write, result) = (*write, came_to(effect));
        trail.record(&Event::Outcome { write, subject: subject(""), result }, false).await.unwrap();
    }
    trail.close().await;
    // Another chain with the same numbers changes nothing about the first.
    let other = Place::filled(None, 3).await;
    let (open, broken) = unresolved(&[away, place.path(), other.path()]).unwrap();
    assert_eq!(broken, 0);
    let told: Vec<_> = open
        .iter()
        .map(|write| (write.targets[0].1.as_str(), write.is_told, write.request_id.as_deref()))
        .collect();
    assert_eq!(told, [("cus_2", true, Some("request-1")), ("cus_3", false, Some("first-cus_3"))]);
}

#[tokio::test]
async fn who_is_refused_on_and_on_does_not_fill_the_disk_and_is_counted() {
    let place = Place::new(None);
    let trail = place.open();
    for _ in 0..20_000 {
        trail.refused(&RefusedAccess { reason: "no_token", principal: None, path: "/mcp" });
    }
    trail.close().await;
    let lines: Vec<serde_json::Value> =
        place.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let refused: Vec<_> = lines.iter().filter(|line| line["event"] == "refused").collect();
    assert!((1000..3000).contains(&refused.len()), "{}", refused.len());
    let more: u64 = refused.iter().map(|line| line["and_more"].as_u64().unwrap_or(0)).sum();
    assert_eq!(refused.len() as u64 + more, 20_000);
    assert!(place.verify(&[&place.path()], None).is_ok());
}
