// The card's words, and how values are shown: as text, and never anything else.

/** Characters that do not show, or move their neighbours; the same that the Markdown of a dossier shows by number. */
const HIDDEN = new RegExp(
  "[" +
    String.raw`\u{0}-\u{1F}\u{7F}-\u{A0}\u{AD}\u{34F}\u{61C}\u{115F}-\u{1160}\u{1680}\u{17B4}-\u{17B5}` +
    String.raw`\u{180B}-\u{180F}\u{2000}-\u{200F}\u{2028}-\u{202F}\u{205F}-\u{206F}\u{2800}\u{3000}` +
    String.raw`\u{3164}\u{FDD0}-\u{FDEF}\u{FE00}-\u{FE0F}\u{FEFF}\u{FFA0}\u{FFF0}-\u{FFFB}` +
    String.raw`\u{FFFE}-\u{FFFF}\u{1BCA0}-\u{1BCA3}\u{1D173}-\u{1D17A}\u{1FFFE}-\u{1FFFF}` +
    String.raw`\u{2FFFE}-\u{2FFFF}\u{3FFFE}-\u{3FFFF}\u{4FFFE}-\u{4FFFF}\u{5FFFE}-\u{5FFFF}` +
    String.raw`\u{6FFFE}-\u{6FFFF}\u{7FFFE}-\u{7FFFF}\u{8FFFE}-\u{8FFFF}\u{9FFFE}-\u{9FFFF}` +
    String.raw`\u{AFFFE}-\u{AFFFF}\u{BFFFE}-\u{BFFFF}\u{CFFFE}-\u{CFFFF}\u{DFFFE}-\u{E0FFF}` +
    String.raw`\u{EFFFE}-\u{EFFFF}\u{FFFFE}-\u{FFFFF}\u{10FFFE}-\u{10FFFF}` +
    "]",
  "gu",
);
/** Longest value that is shown in full, in characters. */
const LONGEST = 2000;

/** The text on one line, with what does not show as `⟨U+202E⟩`. */
function visible(text) {
  const number = (c) => `⟨U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}… (cut here: the text beside this card has it all)` : text;
  return cut.replace(HIDDEN, number);
}

/** A value of the upstream, as it stands. */
function value(it) {
  if (it === undefined) return "not sent";
  if (it === null || it === "") return "(empty)";
  if (typeof it === "number") return String(it);
  return visible(typeof it === "string" ? it : JSON.stringify(it));
}

/** What a table of ours says of a word of the upstream's, which may be any. */
function known(table, word) {
  return typeof word === "string" && Object.hasOwn(table, word) ? table[word] : undefined;
}

const ENVIRONMENTS = {
  simulator: "SIMULATOR: everything here is made up. It says nothing about any real person.",
  sandbox: "SANDBOX: Fintecture’s test environment. No real customer, no real bank account.",
  production: "Production: real customers.",
};

/** What the API's statuses mean; of another one nothing is known. */
const STATUSES = {
  pending: ["Pending", "The bank or the customer has not answered. Nothing is proven; the customer may have to log in at their bank."],
  verified: ["Verified", "A name matched the holder of a bank account."],
  unverified: ["Not verified", "The name was not confirmed. The API does not say why."],
  failed: ["Failed", "The check came to no result. That proves nothing about the customer, and the API does not say why."],
};
const UNKNOWN_STATUS = "This is the upstream’s own word for the status. Its API does not document it: it proves nothing here.";
const NO_STATUS = ["No status was sent", "Nothing is proven."];

const NOT_PROVEN =
  "A verification is a name match by account information and nothing else. Not checked: documents, sanctions lists and " +
  "ownership. The match score is passed on as the upstream gives it: no range and no pass mark is documented.";

/** Labels of what the API documents, in the order in which they are shown; other fields follow under their own names. */
const LABELS = {
  id: "Id",
  match_score: "Match score",
  provider_id: "Bank (provider id)",
  verified_at: "Verified at",
  first_name: "First name",
  last_name: "Last name",
  company_name: "Company",
  email: "E-mail",
  phone: "Phone",
  address: "Address",
  line1: "Line 1",
  line2: "Line 2",
  postal_code: "Postal code",
  city: "City",
  country: "Country",
  customer_id: "Customer’s id",
  external_id: "External id",
  holder_name: "Account holder",
  iban: "IBAN",
  bic: "BIC",
  currency: "Currency",
  verified: "Marked as verified (meaning not documented)",
  created_at: "Created at",
  kind: "Kind",
  upstream_status: "Status of the upstream",
  retry_after_seconds: "Try again after (seconds)",
  scope: "Missing rights",
  request_id: "Request id",
};

/** How the names of a comparison stand to each other. */
const RESULTS = {
  same: "the same text",
  same_after_normalising: "the same words after normalising",
  same_but_for_legal_form: "the same but for the legal form",
  partly: "partly the same",
  different: "different",
  not_comparable: "not comparable",
};

const MASKED = "“…” within a value may stand for hidden characters.";

const OUTCOMES = {
  not_applied: "Nothing was changed.",
  unknown: "It is not known whether it took effect. Find out before it is tried again.",
};
