//! Log lines on their way to standard error.
//!
//! Whoever says something leaves its line here and goes on: a thread of its own writes what has come together, so that a
//! slow reader of standard error holds up no call, and a busy server writes often enough, not once a line. The room is
//! bounded: what finds none is counted, and said once there is room again. Knows nothing of what a line says.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::measures;

/// Bytes of lines that wait; some ten thousand lines.
const ROOM: usize = 4 * 1024 * 1024;
/// What is kept of that room once it was needed.
const KEPT_ROOM: usize = 256 * 1024;
/// Pause between two writes, in which lines come together. The first line after it is written at once.
const PAUSE: Duration = Duration::from_millis(10);

/// The lines that wait, and whoever waits for them.
#[derive(Debug, Default)]
pub(super) struct Lines {
    waiting: Mutex<Waiting>,
    /// There is something to do for the thread that writes.
    came: Condvar,
    /// All that had come is written.
    gone: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    /// Lines that found no room, or could not be written, and of which nobody was told.
    lost: usize,
    /// Whether the thread that writes waits for a line.
    is_idle: bool,
    is_writing: bool,
}

impl Lines {
    /// Writes lines to `out` from now on, on a thread of its own. `tell` is told how many were lost, and says so in
    /// a line.
    ///
    /// # Errors
    /// Where there is no thread to be had.
    pub(super) fn write_to(
        &'static self,
        out: impl Write + Send + 'static,
        tell: fn(usize),
    ) -> io::Result<()> {
        thread::Builder::new().name("log".to_owned()).spawn(move || self.write(out, tell)).map(drop)
    }

    /// Waits until all that has come is written, for so long at most. Whether it is.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let is_left = |waiting: &mut Waiting| waiting.is_writing || !waiting.text.is_empty();
        let waited = self.gone.wait_timeout_while(self.lock(), patience, is_left);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn write(&self, mut out: impl Write, tell: fn(usize)) {
        let mut batch = Vec::new();
        loop {
            self.next(&mut batch);
            let unwritten = write_all(&mut out, &batch);
            let lost = self.written(unwritten);
            if lost > 0 {
                tell(lost);
            }
            // By itself, not by a moment until which to wait: clocks may be set.
            thread::sleep(PAUSE);
        }
    }

    /// Waits for lines, and takes all that are there.
    fn next(&self, batch: &mut Vec<u8>) {
        batch.clear();
        batch.shrink_to(KEPT_ROOM);
        let mut waiting = self.lock();
        waiting.is_idle = true;
        let has_none = |waiting: &mut Waiting| waiting.text.is_empty();
        waiting = self.came.wait_while(waiting, has_none).unwrap_or_else(PoisonError::into_inner);
        waiting.is_idle = false;
        waiting.is_writing = true;
        mem::swap(&mut waiting.text, batch);
    }

    /// Told that all lines were written but for so many. How many were lost, where there is somebody to be told.
    fn written(&self, unwritten: usize) -> usize {
        let mut waiting = self.lock();
        waiting.is_writing = false;
        self.gone.notify_all();
        if unwritten == 0 {
            return mem::take(&mut waiting.lost);
        }
        waiting.lose(unwritten);
        0
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn lose(&mut self, lines: usize) {
        self.lost += lines;
        measures::log_lines_lost(lines);
    }
}

/// Takes in a whole line at a time, and never fails.
impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.lock();
        if waiting.text.len() + line.len() > ROOM {
            waiting.lose(1);
        } else {
            waiting.text.extend_from_slice(line);
        }
        let is_idle = mem::take(&mut waiting.is_idle);
        drop(waiting);
        if is_idle {
            self.came.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes lines, however long that takes. Returns how many could not be written.
fn write_all(out: &mut impl Write, mut lines: &[u8]) -> usize {
    while !lines.is_empty() {
        match out.write(lines) {
            Ok(written) if written > 0 => lines = lines.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Somebody who shares it does not want to wait for it; this thread does.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Ok(_) | Err(_) => break,
        }
    }
    lines.split_inclusive(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    /// What lines are written to; whoever reads it takes them one write at a time.
    struct Pipe(SyncSender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(|_| ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Lines that are written to a pipe in which so many writes have room.
    fn lines(room: usize, tell: fn(usize)) -> (&'static Lines, Receiver<Vec<u8>>) {
        let lines: &'static Lines = Box::leak(Box::default());
        let (pipe, written) = sync_channel(room);
        lines.write_to(Pipe(pipe), tell).unwrap();
        (lines, written)
    }

    fn say(mut lines: &Lines, text: &str) {
        lines.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn lines_come_out_in_their_order_and_many_in_one_write() {
        let (lines, written) = lines(1000, |_| panic!("none is lost"));
        let all: Vec<String> = (0..1000).map(|number| format!("{number}\n")).collect();
        for line in &all {
            say(lines, line);
        }
        lines.flush(LONG);
        let written: Vec<Vec<u8>> = written.try_iter().collect();
        assert_eq!(String::from_utf8(written.concat()).unwrap(), all.concat());
        assert!(written.len() < all.len(), "{} writes", written.len());
    }

    #[test]
    fn a_reader_that_does_not_read_holds_up_nobody_and_hears_what_it_missed() {
        static TOLD: Mutex<Vec<usize>> = Mutex::new(Vec::new());
        let (lines, written) = lines(0, |lost| TOLD.lock().unwrap().push(lost));
        say(lines, "first\n");
        // It is on its way to a reader that takes nothing: from now on lines wait.
        while !lines.lock().is_writing {
            thread::yield_now();
        }
        let line = format!("{}\n", "x".repeat(1023));
        let fit = ROOM / line.len();
        (0..fit + 7).for_each(|_| say(lines, &line));
        assert_eq!(lines.lock().lost, 7);
        let mut read = 0;
        while read < fit * line.len() + "first\n".len() {
            read += written.recv_timeout(LONG).unwrap().len();
        }
        lines.flush(LONG);
        // `tell` is called once the second write is done with.
        while TOLD.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        assert_eq!((lines.lock().lost, TOLD.lock().unwrap().as_slice()), (0, &[7][..]));
        drop(written);
        say(lines, "to nobody\nto nobody\n");
        lines.flush(LONG);
        assert_eq!(lines.lock().lost, 2, "and nobody is told");
    }

    #[test]
    fn waiting_for_a_reader_that_does_not_read_has_an_end() {
        let (lines, written) = lines(0, |_| {});
        say(lines, "stuck\n");
        lines.flush(Duration::from_millis(1));
        assert_eq!(written.recv_timeout(LONG).unwrap(), b"stuck\n");
        lines.flush(LONG);
        assert!(!lines.lock().is_writing);
    }
}
