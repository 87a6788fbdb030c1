//! A server's standard input and output: lines with ids, as many calls at once as are wanted.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use super::requests::{Numbers, Template};
use super::{Tally, answers, session};

/// What a server's standard output is read from.
type Output = BufReader<Box<dyn AsyncRead + Send + Unpin>>;
/// What a server's standard input is written to.
type Input = Box<dyn AsyncWrite + Send + Unpin>;

/// A server that speaks with this client alone.
pub struct StdioLane {
    input: Input,
    output: Output,
    line: Vec<u8>,
    call: Template,
    numbers: Numbers,
    in_flight: usize,
}

impl StdioLane {
    /// Shakes hands.
    pub async fn open(
        input: impl AsyncWrite + Send + Unpin + 'static,
        output: impl AsyncRead + Send + Unpin + 'static,
    ) -> anyhow::Result<Self> {
        let mut lane = Self {
            input: Box::new(input),
            output: BufReader::with_capacity(64 * 1024, Box::new(output)),
            line: Vec::new(),
            call: Template::call(),
            numbers: Numbers::of_lane(0),
            in_flight: 1,
        };
        lane.write(&session::initialize()).await?;
        lane.read().await?;
        session::agreed(&lane.line)?;
        lane.write(&session::initialized()).await?;
        Ok(lane)
    }

    /// Keeps so many calls in flight from now on.
    pub fn keep_in_flight(&mut self, calls: usize) {
        self.in_flight = calls;
    }

    /// Makes calls until then, each in a write of its own, since clients do not wait for further calls before they send
    /// one.
    pub async fn run(&mut self, until: Instant, tally: &mut Tally) -> anyhow::Result<()> {
        let mut waiting = HashMap::with_capacity(self.in_flight);
        for _ in 0..self.in_flight {
            self.call(&mut waiting).await?;
        }
        while !waiting.is_empty() {
            self.read().await?;
            let number = answers::call(&self.line)?;
            let begin = waiting.remove(&number).context("a wrong answer: nobody asked for it")?;
            tally.count(begin)?;
            if Instant::now() < until {
                self.call(&mut waiting).await?;
            }
        }
        Ok(())
    }

    async fn call(&mut self, waiting: &mut HashMap<u64, Instant>) -> anyhow::Result<()> {
        let number = self.numbers.draw();
        let mut call = self.call.fill(number)?;
        call.push(b'\n');
        waiting.insert(number, Instant::now());
        self.input.write_all(&call).await.context("the server's input is closed")?;
        Ok(self.input.flush().await?)
    }

    async fn write(&mut self, message: &Value) -> anyhow::Result<()> {
        self.input.write_all(format!("{message}\n").as_bytes()).await?;
        Ok(self.input.flush().await?)
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        self.line.clear();
        let read = self.output.read_until(b'\n', &mut self.line).await?;
        ensure!(read > 0, "the server ended instead of answering");
        Ok(())
    }
}
