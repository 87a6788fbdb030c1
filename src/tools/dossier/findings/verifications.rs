//! Findings about verifications. None of them says which verification counts: the records do not.

use serde_json::Value;

use super::{Facts, Findings, counts, foreign, picked, repeated};
use crate::tools::dossier::names::Outcome;
use crate::tools::dossier::records::{Fields, has, own_id, text, time};

/// The statuses that the API documents.
const STATUSES: [&str; 4] = ["pending", "verified", "unverified", "failed"];

fn is(verification: &Fields, status: &str) -> bool {
    text(verification, "status") == Some(status)
}

fn score(verification: &Fields) -> Option<f64> {
    verification.get("match_score").and_then(Value::as_f64)
}

pub(super) fn find(facts: &Facts<'_>, findings: &mut Findings) {
    let verifications = facts.verifications.records.as_slice();
    let asked = || vec![facts.asked.to_owned()];
    let (incomplete, too_many) = counts(facts.verifications);
    if incomplete {
        let message =
            "The upstream has more verifications of this customer than it sent: the list is not complete.";
        findings.gap("verifications_incomplete", message, asked());
    }
    if too_many {
        let message = "The upstream sent more verifications than it counts.";
        findings.contradiction("verification_count_differs", message, asked());
    }
    findings.contradiction(
        "verification_of_another_customer",
        "A verification in this customer's list names another customer.",
        foreign(verifications, facts.asked),
    );
    let message = "Several verifications in the list have the same id.";
    findings.contradiction("verification_id_repeated", message, repeated(verifications));
    statuses(facts, verifications, findings);
    against_the_accounts(facts, verifications, findings);
    scores_and_times(facts, verifications, findings);
}

fn statuses(facts: &Facts<'_>, verifications: &[Fields], findings: &mut Findings) {
    let all = |status: &str| picked(verifications, |one| is(one, status));
    let [pending, verified, unverified, failed] = STATUSES.map(all);
    let count = verifications.len();
    if count == 0 {
        let message = "The upstream sent no verification: nothing was checked, or nothing of it is on file.";
        findings.gap("no_verification", message, vec![facts.asked.to_owned()]);
    } else if pending.len() == count {
        findings.gap(
            "only_pending",
            "Every verification is still pending: nothing is decided.",
            pending.clone(),
        );
    } else if verified.is_empty() {
        let ids = picked(verifications, |_| true);
        findings.gap("none_verified", "No verification has the status verified.", ids);
    }
    if pending.len() < count {
        let message = "A verification is still pending: its outcome is not in this dossier.";
        findings.gap("verification_pending", message, pending);
    }
    let message = "A verification failed: it came to no result, for or against the name.";
    findings.gap("verification_failed", message, failed);
    if !verified.is_empty() && !unverified.is_empty() {
        findings.contradiction(
            "verifications_disagree",
            "One verification is verified and another is unverified. The records do not say whether they are about the \
             same account and the same name.",
            [verified, unverified].concat(),
        );
    }
    findings.gap(
        "status_missing",
        "A verification has no status.",
        picked(verifications, |one| text(one, "status").is_none()),
    );
    findings.gap(
        "status_unknown",
        "A verification has a status that the API does not document: what it means is not known.",
        picked(verifications, |one| text(one, "status").is_some_and(|status| !STATUSES.contains(&status))),
    );
}

fn against_the_accounts(facts: &Facts<'_>, verifications: &[Fields], findings: &mut Findings) {
    let verified = picked(verifications, |one| is(one, "verified"));
    let accounts = &facts.accounts.records;
    if accounts.is_empty() {
        let message = "A verification is verified, but no bank account is on file.";
        findings.gap("verified_without_account", message, verified);
        return;
    }
    let all_differ = facts.nearest.iter().all(|nearest| nearest.is(Outcome::Different));
    if all_differ && !verified.is_empty() {
        findings.contradiction(
            "verified_while_holders_differ",
            "A verification is verified, but no bank account on file has a holder with a name in common with the \
             customer.",
            [verified, accounts.iter().map(own_id).collect()].concat(),
        );
    }
}

fn scores_and_times(facts: &Facts<'_>, verifications: &[Fields], findings: &mut Findings) {
    findings.contradiction(
        "pending_with_result",
        "A verification is pending and has a match_score or a verified_at all the same.",
        picked(verifications, |one| {
            is(one, "pending") && (has(one, "match_score") || has(one, "verified_at"))
        }),
    );
    findings.contradiction(
        "verified_at_without_verified",
        "A verification has a verified_at, but its status is unverified or failed.",
        picked(verifications, |one| has(one, "verified_at") && (is(one, "unverified") || is(one, "failed"))),
    );
    findings.gap(
        "score_without_status",
        "A verification has a match_score and no status.",
        picked(verifications, |one| has(one, "match_score") && text(one, "status").is_none()),
    );
    findings.gap(
        "decided_without_score",
        "A verification is verified or unverified without a number as match_score.",
        picked(verifications, |one| (is(one, "verified") || is(one, "unverified")) && score(one).is_none()),
    );
    findings.gap(
        "verified_without_time",
        "A verification is verified without a time in verified_at that can be read.",
        picked(verifications, |one| is(one, "verified") && time(one, "verified_at").is_none()),
    );
    let scores = |status: &'static str| {
        verifications
            .iter()
            .filter(move |one| is(one, status))
            .filter_map(|one| Some((own_id(one), score(one)?)))
    };
    let lowest = scores("verified").min_by(|(_, one), (_, other)| one.total_cmp(other));
    let highest = scores("unverified").max_by(|(_, one), (_, other)| one.total_cmp(other));
    if let (Some((verified, low)), Some((unverified, high))) = (lowest, highest)
        && low <= high
    {
        findings.contradiction(
            "scores_disagree",
            "A verified verification has no higher match_score than an unverified one.",
            vec![verified, unverified],
        );
    }
    findings.contradiction(
        "verified_in_the_future",
        "A verification's verified_at is later than the time at which it was read.",
        picked(verifications, |one| time(one, "verified_at").is_some_and(|at| at > facts.read_at)),
    );
    let created = time(facts.customer, "created_at");
    findings.contradiction(
        "verified_before_customer",
        "A verification's verified_at is earlier than the customer record's created_at.",
        picked(verifications, |one| {
            time(one, "verified_at").zip(created).is_some_and(|(verified, created)| verified < created)
        }),
    );
}
