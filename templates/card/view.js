// What the card is made of. Every value reaches the page by textContent; tags and attributes are chosen here.

/** Most records of one list that are shown. */
const MOST = 50;

function node(tag, { className, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const [name, it] of Object.entries(attributes)) made.setAttribute(name, it);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** A text of ours in an element. */
function say(tag, words, attributes) {
  const made = node(tag, attributes);
  made.textContent = words;
  return made;
}

/** A value of the upstream, which cannot move what stands beside it. */
function shown(it) {
  return say("bdi", value(it));
}

/** Labels and values. */
function facts(pairs) {
  const rows = pairs.flatMap(([label, it]) => [say("dt", visible(label)), node("dd", {}, members(it) ?? shown(it))]);
  return rows.length > 0 ? node("dl", {}, ...rows) : undefined;
}

/** The members of a record within a record, a line each; what they hold themselves stands as it came. */
function members(it) {
  if (!isObject(it) || Object.keys(it).length === 0) return undefined;
  return node("dl", {}, ...pairs(it).flatMap(([label, one]) => [say("dt", visible(label)), node("dd", {}, shown(one))]));
}

/** What a record holds, by labels and in their order. */
function pairs(record, without = []) {
  const labels = Object.keys(LABELS);
  const rank = ([name]) => labels.includes(name) ? labels.indexOf(name) : labels.length;
  const fields = Object.entries(record).filter(([name]) => !without.includes(name));
  return fields.sort((one, other) => rank(one) - rank(other)).map(([name, it]) => [known(LABELS, name) ?? name, it]);
}

/** A list with a heading; what is not a record is shown as it stands. */
function records(heading, all, one, none) {
  const some = list(all);
  const more = some.length - MOST;
  return [
    say("h2", `${heading} (${some.length}${more > 0 ? `, the first ${MOST} are shown` : ""})`),
    more > 0 && one === smallVerification ? say("p", `Of all: ${tally(some)}.`) : undefined,
    ...some.slice(0, MOST).map((record) => one(isObject(record) ? record : { "not a record": record })),
    some.length === 0 ? say("p", none) : undefined,
    more > 0 ? say("p", `${more} more: the text beside this card has them all.`, { className: "note" }) : undefined,
  ];
}

/** How many verifications there are of each status. */
function tally(verifications) {
  const counts = new Map();
  for (const { status } of verifications) {
    const name = known(STATUSES, status)?.[0] ?? "Unknown status";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(", ");
}

/** Said where it may be so: a value whose end is hidden must not be taken for the whole. */
function masked(it) {
  return JSON.stringify(it).includes("…") ? say("p", MASKED, { className: "note" }) : undefined;
}

function limits(words) {
  return node("section", { className: "limits" }, say("h2", "What this does not prove"), say("p", words));
}

/** The status of a verification, and what it means. */
function status(it) {
  const ours = it === undefined ? NO_STATUS : known(STATUSES, it);
  const kind = known(STATUSES, it) ? it : "unknown";
  const name = ours ? node("strong", {}, ours[0]) : node("strong", {}, "Unknown status: ", shown(it));
  return node("p", { className: `status ${kind}` }, name, say("span", ours?.[1] ?? UNKNOWN_STATUS));
}

/** What a verification says, below its status. */
function details(verification, about = []) {
  const first = ["id", "match_score", "provider_id", "verified_at"];
  const absent = (name) => name === "match_score" || name === "verified_at";
  const told = first.filter((name) => Object.hasOwn(verification, name) || absent(name));
  return facts([
    ...about,
    ...told.map((name) => [known(LABELS, name), verification[name]]),
    ...pairs(verification, ["status", ...first]),
  ]);
}

function smallVerification(verification) {
  return node("section", { className: "record" }, status(verification.status), details(verification));
}

/** One verification; `about` says whose it is. */
function showVerification({ verification }, about) {
  return [status(verification.status), details(verification, about), masked([verification, about]), limits(NOT_PROVEN)];
}

function showVerifications({ verifications }, about) {
  const all = records("Verifications", verifications, smallVerification, "The upstream sent none: nothing was checked, or nothing of it is on file.");
  return [facts(about), masked([verifications, about]), ...all, limits(NOT_PROVEN)];
}

function findings(heading, found) {
  const one = (finding) => {
    const about = list(finding.ids).map(value).join(", ");
    const concerns = about === "" ? "" : ` Concerns: ${about}`;
    return node("li", {}, shown(finding.message), say("bdi", concerns));
  };
  const [title, ...rest] = records(heading, found, one, "None was found by the checks that are made.");
  const items = rest.filter((item) => item?.tagName === "LI");
  return [title, items.length > 0 ? node("ul", {}, ...items) : undefined, ...rest.filter((item) => item?.tagName !== "LI")];
}

function comparison(one) {
  return node("section", { className: "record" }, facts([
    ["Account", one.account_id],
    ["Its holder", one.holder_name],
    ["The customer’s name", one.customer_name],
    ["Compared", known(RESULTS, one.result) ?? one.result],
    ...(one.why === undefined ? [] : [["Why", one.why]]),
  ]));
}

function plainRecord(record) {
  return node("section", { className: "record" }, facts(pairs(record)));
}

/** A customer's names, as the record has them. */
function nameOf(customer) {
  const person = [customer.first_name, customer.last_name].filter((name) => text(name) !== "").join(" ");
  return [person, text(customer.company_name)].filter((name) => name !== "").join(", ");
}

/** All that is known of a customer: no verdict, since the records carry none. */
function showDossier({ dossier }) {
  const customer = isObject(dossier.customer) ? dossier.customer : {};
  const sources = list(dossier.sources).map((source) => [text(source.member) || "Source", source.read_at]);
  const rest = node("details", {}, say("summary", "Names compared, other fields, and when each part was read"),
    ...records("Names compared", dossier.name_comparisons, comparison, "There was no holder to compare with."),
    ...(isObject(dossier.beside) ? [say("h2", "What the upstream sent beside the records"), facts(pairs(dossier.beside))] : []),
    say("h2", "Read at"), facts(sources));
  return [
    facts([["Customer", nameOf(customer) || "the record has no name"], ["Id", dossier.customer_id]]),
    say("p", "What is on file, and what of it does not go together or is not there. It is no verdict.", { className: "note" }),
    masked(dossier),
    ...findings("Contradictions", dossier.contradictions),
    ...findings("Gaps", dossier.gaps),
    ...records("Verifications", dossier.verifications, smallVerification, "The upstream sent none."),
    ...records("Bank accounts", dossier.bank_accounts, plainRecord, "The upstream sent none."),
    say("h2", "Customer record"),
    facts(pairs(customer)) ?? say("p", "None was sent."),
    rest,
    limits(visible(text(dossier.not_checked) || NOT_PROVEN)),
  ];
}

/** What went wrong; `openPage` opens the page on which a person approves, where the host opens pages. */
function showError({ error }, openPage) {
  const { kind, message, problems, hint, outcome, approval, retryable, ...rest } = error;
  // What the hint says, and the message of what waits for a person, is not said again.
  const again = hint === undefined && retryable !== undefined ? [["Retryable", retryable]] : [];
  const applied = isObject(approval) ? undefined : known(OUTCOMES, outcome);
  const address = isObject(approval) ? text(approval.url) : "";
  const problem = (one) => node("li", {}, shown(one.field), ": ", shown(one.message));
  const wrong = list(problems).filter(isObject).map(problem);
  return [
    node("p", { className: "status error" }, node("strong", {}, shown(message)), applied === undefined ? undefined : say("span", applied)),
    wrong.length > 0 ? node("ul", {}, ...wrong) : undefined,
    ...(address === "" ? [] : approve(address, approval.expires_at, openPage)),
    hint === undefined ? undefined : node("p", { className: "note" }, "The agent is told: ", shown(hint)),
    facts([["Kind", kind], ...again, ...pairs(rest)]),
  ];
}

function approve(address, until, openPage) {
  const button = say("button", "Open the approval page", { type: "button" });
  button.addEventListener("click", () => openPage(address));
  const canOpen = openPage !== undefined && /^https?:\/\//.test(address);
  return [
    say("p", "Approve or decline it on this page, in a browser:"),
    facts([["Address", address], ["Open until", until]]),
    canOpen ? node("p", {}, button) : undefined,
  ];
}
