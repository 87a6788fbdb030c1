// What the card shows, and when it looks again. It only reads: it calls `verify_identity get` and
// `manage_customers get`, and nothing else.

/** How often it looks again at a verification that is pending, and how long the server waits each time. */
const LOOKS = 10;
const WAIT_SECONDS = 30;
/** Least time between two looks, in milliseconds. */
const PAUSE_MS = 5_000;

const place = (id) => document.getElementById(id);

/** What stands there before there is a result. */
const waiting = place("content").firstElementChild;

const card = {
  /** Counts what it was told: what was asked for before the last of it is no answer any more. */
  turn: 0,
  /** The arguments of the call whose result this is. */
  args: {},
  hasArgs: false,
  result: undefined,
  /** The customer's name, once it was read; it is asked for once. */
  name: "",
  hasAskedName: false,
  isLooking: false,
  hasEnded: false,

  isPending() {
    return card.result?.verification?.status === "pending";
  },

  /** What names the verification; nothing where it cannot be looked at again. */
  ids() {
    const customer_id = text(card.args.customer_id) || text(card.result?.verification?.customer_id);
    const verification_id = text(card.result?.verification?.id);
    const can = host.capabilities.serverTools !== undefined && customer_id !== "" && verification_id !== "";
    return can ? { customer_id, verification_id } : undefined;
  },

  /** Whose record this is, and what the agent asked for. */
  about() {
    const { customer_id, expected_name } = card.args;
    const lines = [["Customer", card.name], ["Customer’s id", customer_id], ["Name to find (from the agent)", expected_name]];
    return lines.filter(([, it]) => text(it) !== "");
  },

  draw() {
    const { result } = card;
    const [title, content] = views(result);
    const hadFocus = place("content").contains(document.activeElement);
    place("title").textContent = title;
    const said = result.repeated === true ? "This was sent before: it is the first outcome, and nothing was sent again." : undefined;
    const hint = result.hint !== undefined && !card.isPending() ? value(result.hint) : undefined;
    const notes = [said, hint].filter((note) => note !== undefined).map((note) => say("p", note, { className: "note" }));
    place("content").replaceChildren(...[...notes, ...content].filter((one) => one !== undefined));
    if (hadFocus) place("title").focus();
    const environment = place("environment");
    // Words of the client's own are of none; of all else it is said, even that it is not known.
    environment.hidden = result.environment === undefined && text(result.said) !== "";
    environment.textContent = known(ENVIRONMENTS, result.environment) ?? `Environment: ${value(result.environment)}`;
    environment.className = ["simulator", "sandbox"].includes(result.environment) ? "environment made-up" : "environment";
  },

  /** Says something where a screen reader hears it, and whether a person may ask for another look. */
  tell(words, offersLook = false) {
    place("told").textContent = words;
    const again = place("again");
    const hadFocus = again.contains(document.activeElement);
    again.hidden = !offersLook;
    if (hadFocus && !offersLook) place("title").focus();
  },

  /** Nothing of a call before is shown, or asked for, with what comes now. */
  begin(args, title, content) {
    Object.assign(card, { turn: card.turn + 1, args, result: undefined, name: "", hasAskedName: false, isLooking: false });
    const hadFocus = place("content").contains(document.activeElement);
    place("title").textContent = title;
    place("environment").hidden = true;
    place("content").replaceChildren(content);
    if (hadFocus) place("title").focus();
    card.tell("");
  },

  show(result) {
    Object.assign(card, { turn: card.turn + 1, result, isLooking: false });
    card.draw();
    card.tell("");
    card.readName();
    card.follow();
  },

  /** Who the customer is: a verification has an id alone, which is all that is shown where this fails. */
  async readName() {
    const customer_id = text(card.args.customer_id);
    const isNameless = isObject(card.result.verification) || Array.isArray(card.result.verifications);
    if (!isNameless || card.hasAskedName || customer_id === "" || host.capabilities.serverTools === undefined) return;
    card.hasAskedName = true;
    const { environment } = card.result;
    const read = await host.call("manage_customers", { action: "get", customer_id }).catch(() => ({}));
    if (!isObject(read.customer) || read.customer.id !== customer_id || read.environment !== environment) return;
    // Another result may have come in the meantime.
    if (card.result?.environment !== environment || card.args.customer_id !== customer_id) return;
    card.name = nameOf(read.customer);
    card.draw();
  },

  /** Looks until there is a verdict, or it was often enough. */
  async follow() {
    if (!card.isPending() || card.isLooking) return;
    if (card.ids() === undefined) {
      card.tell("Ask the agent to look again: this card cannot.");
      return;
    }
    card.isLooking = true;
    const { turn } = card;
    const isOver = () => card.hasEnded || turn !== card.turn;
    card.tell("Waiting for the verdict: this card looks again by itself.");
    let trouble;
    for (let look = 0; look < LOOKS && card.isPending() && trouble === undefined; look++) {
      await isSeen();
      if (isOver()) return;
      trouble = await card.look(isOver);
      if (isOver()) return;
    }
    card.isLooking = false;
    const at = `${new Date().toISOString().slice(0, 19).replace("T", " ")} UTC`;
    if (trouble !== undefined) card.tell(`This card could not look again: ${trouble}`, true);
    else if (card.isPending()) card.tell(`Still not decided at ${at}.`, true);
    else card.tell(`${decided(card.result.verification.status)} Seen at ${at}.`);
  },

  /** Looks once; says what went wrong. An answer that comes when it `isOver` is left alone. */
  async look(isOver) {
    const began = Date.now();
    const ids = card.ids();
    let result;
    try {
      result = await host.call("verify_identity", { action: "get", ...ids, wait_seconds: WAIT_SECONDS });
    } catch (error) {
      return error.message;
    }
    if (isOver()) return undefined;
    if (isObject(result.error)) {
      const after = Number(value(result.error.retry_after_seconds));
      if (result.error.kind === "rate_limited" && after <= 120) {
        await rest(after * 1000);
        return undefined;
      }
      return value(result.error.message);
    }
    if (!isObject(result.verification)) return value(result.said ?? "the answer holds no verification");
    if (result.verification.id !== ids.verification_id) return "the answer was about another verification.";
    if (result.environment !== card.result.environment) return "the answer was of another environment.";
    card.result = result;
    card.draw();
    if (card.isPending()) await rest(PAUSE_MS - (Date.now() - began));
    return undefined;
  },
};

/** The title of a result, and what is shown of it. */
function views(result) {
  if (isObject(result.error)) {
    const title = isObject(result.error.approval) ? "Approval needed" : "No result";
    return [title, showError(result, card.openPage())];
  }
  if (isObject(result.dossier)) return ["Dossier of a customer", showDossier(result)];
  if (isObject(result.verification)) return ["Identity verification", showVerification(result, card.about())];
  if (Array.isArray(result.verifications)) return ["Verifications of a customer", showVerifications(result, card.about())];
  return ["No result", [say("p", "There is nothing here that this card can show. The text beside it says more."),
    text(result.said) === "" ? undefined : node("p", {}, shown(result.said))]];
}

/** How to open a page, where the host does that. */
card.openPage = () => host.capabilities.openLinks === undefined ? undefined : async (url) => {
  try {
    const opened = await host.request("ui/open-link", { url });
    if (opened.isError === true) throw new Error("the host refused");
  } catch (error) {
    card.tell(`The page was not opened: ${error.message}. Open its address in a browser.`);
  }
};

/** Another status than pending, as what it is: one that is not known to us decides nothing. */
function decided(status) {
  const name = known(STATUSES, status)?.[0];
  return name === undefined ? `Not pending any more, with a status that is unknown: ${value(status)}.` : `Decided: ${name}.`;
}

function rest(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
}

/** Waits until somebody can see the card: nobody else needs another look. */
function isSeen() {
  if (document.visibilityState === "visible") return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

place("again").addEventListener("click", () => card.follow());
host.told.set("ui/notifications/tool-input", ({ arguments: args }) => {
  // A first result may come before its arguments; after that, arguments are those of another call.
  const early = card.hasArgs ? undefined : card.result;
  card.hasArgs = true;
  card.begin(isObject(args) ? args : {}, "Identity verification", waiting);
  if (early !== undefined) card.show(early);
});
host.told.set("ui/notifications/tool-result", (told) => {
  const result = read(told);
  const before = card.result;
  const isSame = text(result.verification?.id) !== "" && before?.verification?.id === result.verification.id && before.environment === result.environment;
  // A second result may be about somebody else than the arguments of the first.
  if (before !== undefined && !isSame) card.begin({}, "", waiting);
  card.show(result);
});
host.told.set("ui/notifications/tool-cancelled", () => {
  const words = ["get", "list", "dossier"].includes(card.args.action)
    ? "The call was cancelled: there is no result."
    : "The call was cancelled. A verification may have been started all the same: ask the agent to list this customer’s verifications.";
  card.begin({}, "Cancelled", say("p", words));
});
host.told.set("ui/resource-teardown", () => {
  card.hasEnded = true;
});
host.greet(({ theme }) => {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}).catch(({ message }) => {
  place("content").replaceChildren(say("p", `This card cannot reach its host (${message}). Read the text beside it.`));
});
