//! `fintecture-mcp`: an MCP server for the Fintecture Customers API.
//!
//! An agent calls three tools (customers, bank accounts, identity verifications); this crate checks what it
//! asks for, sends one request to the upstream, and answers with what came back or with an error that says
//! what to do next. Nothing is guessed: an argument that could be wrong is refused, and a write whose outcome is
//! not known is called unknown.
//!
//! # The way of a call
//!
//! ```text
//! stdio ┐
//! /mcp  ├─ transports ─┬ mcp ──┬─ calls ── tools ── fintecture ── the upstream
//! /sse  │   framing,   │ rmcp's│  repeats, arguments  path, token,    Fintecture,
//! /v1   ┘   gate, end  │ types │  asking   to request send, decode    or the simulator
//!             │        └ rest ─┘  │  │          │         │
//!           access            audit  │ store    domain    capability
//!                                    │
//! a person's browser ── pages ───────┘
//! ```
//!
//! # The map
//!
//! | module | does | may not know |
//! |---|---|---|
//! | [`domain`] | ids, IBAN, e-mail and the like: parsed once, then trusted | anything else |
//! | [`secret`] | secrets in variables or files, read again when they change | anything else |
//! | [`roots`] | root certificates to trust beside the system's | who trusts them |
//! | [`sealing`] | values that nobody else can read or change | anything else |
//! | [`store`] | what outlives a call: approvals, repeats, sessions, counts; here or shared by replicas | what it keeps |
//! | [`access`] | who calls: tokens, and the authorization server that gives them out | who asks, protocols |
//! | [`audit`] | the trail: a chained line for every call, approval and refusal | who tells it |
//! | [`measures`] | every number that is counted, by name | who counts |
//! | [`traces`] | spans of calls and attempts, and the trace that they belong to | where they go |
//! | [`capability`] | reads and checks the capability files: routes and words | tools, protocols, HTTP clients |
//! | [`fintecture`] | the nine operations as typed calls: token, signature, retries, breaker | tools, protocols |
//! | [`tools`] | the three tools: schemas, arguments, actions, errors; the prompts and the skill | protocols |
//! | [`calls`] | what surrounds every tool call: repeats, approvals, audit, waits, masking, panic guard, log line; completion of ids | protocols |
//! | [`pages`] | what a person sees in a browser: the approval pages, the card | who asks, the listener, the upstream |
//! | [`mcp`] | the MCP face over calls, in rmcp's types: tools, prompts, resources, skills, links; a short route for plain calls | transports, the upstream |
//! | [`rest`] | the REST face over calls: `POST /v1/tools/{tool}`, and its OpenAPI description | transports, the upstream |
//! | [`transports`] | stdio, Streamable HTTP, legacy SSE, and the gate before them | tools, the upstream |
//! | [`setup`] | puts this server into the configuration of a client, and nothing else into it | how the server is configured |
//! | [`simulator`] | the stand-in for the upstream, over real HTTP | everything but domain |
//! | [`demo`] | a KYC story, played by an MCP client and shown in a terminal | how its server was started |
//! | [`config`] | flags and variables, checked, every problem at once | everything but domain and secret |
//! | `cli`, `telemetry` | the command line; where log lines, metrics and traces go | everything but config |
//! | [`app`] | builds the parts and hands them to each other | |
//!
//! Imports run from left to right in the picture above, and down, never back; a test holds them to it. Where to begin
//! reading: a tool's own file (`tools/customers.rs`), then `calls/mod.rs`, then `fintecture/sending.rs`.

pub mod access;
pub mod app;
pub mod audit;
pub mod calls;
pub mod capability;
mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod fintecture;
pub mod mcp;
pub mod measures;
pub mod pages;
pub mod rest;
pub mod roots;
pub mod sealing;
pub mod secret;
pub mod setup;
pub mod simulator;
pub mod store;
mod telemetry;
pub mod tools;
pub mod traces;
pub mod transports;
