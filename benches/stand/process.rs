//! Processes of a bench: started, watched, and ended when they are dropped.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procfs::process::Process;

/// How long a process may take to say where it listens, and to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running process. It is told to end when this is dropped, and killed where it does not.
pub struct Running {
    name: String,
    child: Child,
}

impl Running {
    /// Starts this command.
    pub fn start(name: &str, mut command: Command) -> anyhow::Result<Self> {
        let child = command.spawn().with_context(|| format!("{name} does not start"))?;
        Ok(Self { name: name.to_owned(), child })
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id, for who looks closer.
    pub fn id(&self) -> anyhow::Result<i32> {
        Ok(i32::try_from(self.child.id())?)
    }

    /// The child itself, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Fails where it has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} has ended: {status}", self.name),
        }
    }

    /// What it and its children have used so far.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        let id = i32::try_from(self.child.id())?;
        let own = Process::new(id)?;
        let mut usage = Usage::of(&own)?;
        // Of one thread, since that is who started them: no server here starts processes from several.
        for child in own.task_main_thread()?.children()? {
            usage.add(Usage::of(&Process::new(i32::try_from(child)?)?)?);
        }
        Ok(usage)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.child.id()) {
            // It may have ended already.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process has used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Time in its own code.
    pub user: Duration,
    /// Time in the kernel.
    pub system: Duration,
    /// Memory resident now, in bytes.
    pub resident: u64,
}

impl Usage {
    fn of(process: &Process) -> anyhow::Result<Self> {
        let stat = process.stat()?;
        let tick = Duration::from_secs(1) / u32::try_from(procfs::ticks_per_second())?;
        let time = |ticks: u64| anyhow::Ok(tick * u32::try_from(ticks)?);
        Ok(Self {
            user: time(stat.utime)?,
            system: time(stat.stime)?,
            resident: stat.rss * procfs::page_size(),
        })
    }

    fn add(&mut self, other: Self) {
        self.user += other.user;
        self.system += other.system;
        self.resident += other.resident;
    }

    /// What was used since `before`; the memory as it is now.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
            resident: self.resident,
        }
    }
}

/// A part that this binary plays in a process of its own.
pub struct Part {
    /// Its process.
    pub process: Rc<Running>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Part {
    /// Starts this binary with these words, and waits until it says where it listens.
    pub fn start_self(name: &str, words: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        // Its input is held by nobody but this process: it ends when this does.
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Running::start(name, command)?;
        let output = process.child.stdout.take().context("the output of a part is piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().with_context(|| format!("{name} does not say where it listens"))?;
        Ok(Self { process: Rc::new(process), address })
    }
}

/// Says where this part listens, and ends it together with who started it, whatever ends that.
pub fn announce(address: SocketAddr) -> anyhow::Result<()> {
    let mut output = std::io::stdout();
    writeln!(output, "{address}")?;
    output.flush()?;
    std::thread::spawn(|| {
        // Nothing is ever written there: this waits for the end.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    Ok(())
}

/// Waits until a log file holds a line with this text. Returns what follows the text in that line.
pub fn logged(process: &mut Running, log: &std::path::Path, text: &str) -> anyhow::Result<String> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        for line in BufReader::new(File::open(log)?).lines() {
            if let Some((_, rest)) = line?.split_once(text) {
                return Ok(rest.to_owned());
            }
        }
        process.check()?;
        std::thread::sleep(Duration::from_millis(5));
    }
    bail!("{} does not say {text:?}: see what it logged: {}", process.name(), std::fs::read_to_string(log)?)
}
