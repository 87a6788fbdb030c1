//! Holds the answers to writes against what really happened: each effect is accounted for by one write, and each
//! write accounts for one effect at most.

use std::collections::{BTreeMap, HashMap, HashSet};

use fintecture_mcp::simulator::Effect;
use serde_json::Value;

use super::contract::{Answer, KINDS};

/// What an answer says of the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Claim {
    /// It took effect: this record.
    Success(String),
    /// It may have, as this request.
    Unknown(String),
    /// It did not.
    NotApplied,
}

fn claim(answer: &Answer) -> Claim {
    let text = |pointer: &str| answer.body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    if answer.is_error {
        return match text("/error/outcome").unwrap().as_str() {
            "unknown" => Claim::Unknown(text("/error/request_id").unwrap()),
            _ => Claim::NotApplied,
        };
    }
    let id = ["/customer/id", "/bank_account/id", "/verification/id"].into_iter().find_map(text);
    Claim::Success(id.unwrap())
}

/// What all answers together came to, and the effects that they leave to explain.
#[derive(Debug)]
pub(crate) struct Tally {
    /// What to replay a failure with.
    seed: u64,
    effects: HashMap<String, Effect>,
    id_of_request: HashMap<String, String>,
    /// The `external_id`s of the customers that agents were told to have made.
    made: HashSet<String>,
    /// How often each outcome, and each kind of answer, was seen.
    counts: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub(crate) fn new(effects: Vec<Effect>, seed: u64) -> Self {
        let request = |effect: &Effect| (effect.request_id.clone().unwrap(), effect.id.clone());
        let id_of_request: HashMap<_, _> = effects.iter().map(request).collect();
        let took_effect = effects.len();
        let effects: HashMap<_, _> = effects.into_iter().map(|effect| (effect.id.clone(), effect)).collect();
        assert_eq!(effects.len(), took_effect, "SOAK_SEED={seed}: each effect has an id of its own");
        assert_eq!(id_of_request.len(), took_effect, "SOAK_SEED={seed}: each request took effect once");
        Self { seed, effects, id_of_request, made: HashSet::new(), counts: BTreeMap::new() }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Writes whose outcome was the same, or answers that have this in common.
    pub(crate) fn counts(&self) -> &BTreeMap<&'static str, usize> {
        &self.counts
    }

    /// Accounts for one write, with all its answers, and takes away the effect that is explained by it.
    pub(crate) fn settle(&mut self, arguments: &Value, answers: &[Answer]) {
        let bodies: Vec<String> = answers.iter().map(|answer| answer.body.to_string()).collect();
        let told = format!("SOAK_SEED={}\nsent: {arguments}\ntold: {}", self.seed, bodies.join("\n      "));
        let external_id = arguments.get("external_id").and_then(Value::as_str);
        self.count_answers(answers);

        let claims: HashSet<Claim> = answers.iter().map(claim).collect();
        let mut lasting = claims.iter().filter(|claim| **claim != Claim::NotApplied);
        let effect = match lasting.next() {
            Some(Claim::Success(id)) => {
                self.count("writes that succeeded");
                if let Some(external_id) = external_id {
                    assert!(self.made.insert(external_id.to_owned()), "made twice: {told}");
                }
                let effect = self.effects.remove(id);
                Some(effect.unwrap_or_else(|| panic!("does not exist, or is another write's: {told}")))
            }
            Some(Claim::Unknown(request)) => {
                let effect = self.id_of_request.get(request).and_then(|id| self.effects.remove(id));
                self.count(if effect.is_some() {
                    "unknown writes, done"
                } else {
                    "unknown writes, not done"
                });
                effect
            }
            Some(Claim::NotApplied) | None => {
                self.count("writes not applied");
                None
            }
        };
        assert_eq!(lasting.next(), None, "one write came to several ends: {told}");
        if let Some(effect) = effect {
            assert_eq!(effect.external_id.as_deref(), external_id, "another write's effect: {told}");
        }
    }

    fn count_answers(&mut self, answers: &[Answer]) {
        for answer in answers {
            let kind = answer.is_error.then(|| answer.kind());
            // Only kinds that are known pass the contract.
            self.count(KINDS.into_iter().find(|known| kind == Some(known)).unwrap_or("success"));
            if answer.body.get("repeated").is_some() {
                self.count("repeated");
            }
            let hint = answer.body.get("hint").and_then(Value::as_str);
            if hint.is_some_and(|hint| hint.contains("found by its external_id")) {
                self.count("found by external_id");
            }
        }
    }

    /// Nothing happened that no write accounts for.
    pub(crate) fn is_even(&self) {
        assert!(self.effects.is_empty(), "SOAK_SEED={}: nobody was told of {:?}", self.seed, self.effects);
    }
}
