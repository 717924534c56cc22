/**
 * The table of sessions with their transfers, and the slowest and largest of these.
 *
 * @module
 */

import { ban, disconnect, hostOf } from "./actions.js";
import { byId, KeyedRows, make, setText } from "./elements.js";
import { formatBytes, formatCount, formatDuration, formatName, formatRate } from "./format.js";

/** Rows that are made; the filter finds the others. */
const MAX_ROWS = 200;
const MAX_LISTED = 5;
/** A transfer that has not moved for so long is said to stand still. */
const STILL_SECONDS = 5;

/** Rows out of sight are brought up to date in so many turns, those in sight at once: that keeps each frame short. */
const TURNS = 5;

/** Orders of the table, by name. */
const ORDERS = {
  transfers: (/** @type {any} */ a, /** @type {any} */ b) => Number(!!b.transfer) - Number(!!a.transfer) || older(a, b),
  slowest: (/** @type {any} */ a, /** @type {any} */ b) => rateOr(a, Infinity) - rateOr(b, Infinity) || older(a, b),
  largest: (/** @type {any} */ a, /** @type {any} */ b) =>
    (b.transfer?.bytes ?? -1) - (a.transfer?.bytes ?? -1) || older(a, b),
  newest: (/** @type {any} */ a, /** @type {any} */ b) => older(b, a),
  user: (/** @type {any} */ a, /** @type {any} */ b) => compare(a.username ?? "", b.username ?? "") || older(a, b),
};

/** Shows who is connected. */
export class SessionsTable {
  #rows;
  #slowest;
  #largest;
  /** @type {readonly any[]} */
  #sessions = [];
  #now = 0;
  #turn = 0;
  /** When each transfer has moved last, by session. @type {Map<string, { path: string, bytes: number, at: number }>} */
  #moved = new Map();

  /** @param {() => void} onChange What is shown should be shown anew. */
  constructor(onChange) {
    const seen = new WeakSet();
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) seen.add(target);
        else seen.delete(target);
      }
      onChange();
    }, { rootMargin: "200px" });
    const makeObserved = (/** @type {string} */ key, /** @type {any} */ item) => {
      const { element, update } = makeRow(key, item);
      let isNew = true;
      observer.observe(element);
      return {
        element,
        update: (/** @type {any} */ now) => {
          if (isNew || now.isTurn || seen.has(element)) update(now);
          isNew = false;
        },
        remove: () => observer.unobserve(element),
      };
    };
    this.#rows = new KeyedRows(document.querySelector("#sessions tbody") ?? document.body, makeObserved);
    this.#slowest = new KeyedRows(byId("slowest"), makeListed, "No transfer is running.");
    this.#largest = new KeyedRows(byId("largest"), makeListed, "No transfer is running.");
    byId("filter").addEventListener("input", onChange);
    byId("order").addEventListener("change", onChange);
  }

  /**
   * Takes what the stream says; {@link show} shows it.
   *
   * @param {readonly any[]} sessions
   * @param {number} now Seconds since 1970, of the server.
   */
  take(sessions, now) {
    this.#sessions = sessions;
    this.#now = now;
    const moved = new Map();
    for (const { session, transfer } of sessions) {
      if (transfer === undefined) continue;
      const { path, bytes } = transfer;
      const before = this.#moved.get(session);
      const isStill = before !== undefined && before.path === path && before.bytes === bytes;
      moved.set(session, isStill ? before : { path, bytes, at: now });
    }
    this.#moved = moved;
  }

  /** Shows what was taken last. */
  show() {
    const order = ORDERS[/** @type {keyof typeof ORDERS} */ (byId("order").value)];
    const found = this.#sessions.filter(fits(byId("filter").value)).sort(order);
    const transferring = this.#sessions.filter(({ transfer }) => transfer !== undefined);
    const fastest = transferring.reduce((most, { transfer }) => Math.max(most, transfer.rate), 1);
    this.#turn = (this.#turn + 1) % TURNS;
    const described = (/** @type {any} */ session, /** @type {number} */ index) => ({
      session,
      isTurn: index % TURNS === this.#turn,
      fastest,
      age: this.#now - Date.parse(session.since) / 1000,
      still: this.#now - (this.#moved.get(session.session)?.at ?? this.#now),
    });
    this.#rows.show(found.slice(0, MAX_ROWS).map(described), keyOf);
    setText(byId("sessions-note"), this.#note(found.length));
    const listed = (/** @type {(a: any, b: any) => number} */ by) =>
      [...transferring].sort(by).slice(0, MAX_LISTED).map(described);
    this.#slowest.show(listed(ORDERS.slowest), keyOf);
    this.#largest.show(listed(ORDERS.largest), keyOf);
  }

  /** @param {number} found */
  #note(found) {
    const all = this.#sessions.length;
    if (all === 0) return "Nobody is connected.";
    const fitting = found === all ? "" : ` that fit, of ${formatCount(all)}`;
    if (found > MAX_ROWS) {
      return `${MAX_ROWS} of ${formatCount(found)} sessions${fitting}; filter for the ${
        formatCount(found - MAX_ROWS)
      } others.`;
    }
    return `${formatCount(found)} ${found === 1 ? "session" : "sessions"}${fitting}.`;
  }
}

/** @param {{ session: { session: string } }} item */
function keyOf({ session }) {
  return session.session;
}

/** @param {string} text */
function fits(text) {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return (/** @type {any} */ { session, username = "", remote, transfer }) => {
    if (words.length === 0) return true;
    const all = `${session} ${username} ${remote} ${transfer?.path ?? ""}`.toLowerCase();
    return words.every((word) => all.includes(word));
  };
}

/**
 * @param {string} a
 * @param {string} b
 */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * @param {any} a
 * @param {any} b
 */
function older(a, b) {
  return compare(a.since, b.since) || compare(a.session, b.session);
}

/**
 * @param {any} session
 * @param {number} otherwise
 */
function rateOr({ transfer }, otherwise) {
  return transfer?.rate ?? otherwise;
}

/**
 * @param {string} key
 * @param {any} item
 */
function makeRow(key, item) {
  let current = item.session;
  const [user, client, age, file, moved, rate] = ["user", "client", "age", "file", "moved", "rate"].map((name) =>
    make("td", { role: "cell", class: name })
  );
  const name = make("bdi");
  const badge = make("span", { class: "badge" });
  user.append(name, " ", badge);
  const path = make("bdi");
  const verb = make("span", { class: "verb" });
  file.append(verb, " ", path);
  const bar = make("span", { class: "bar", "aria-hidden": "true" }, make("i"));
  const speed = make("span");
  rate.append(speed, bar);
  const kick = make("button", { type: "button" }, "Disconnect…");
  const refuse = make("button", { type: "button" }, "Ban…");
  kick.onclick = () => disconnect(current);
  refuse.onclick = () => ban(hostOf(current.remote));
  const actions = make("td", { role: "cell", class: "buttons" }, kick, " ", refuse);
  const element = make("tr", { role: "row", "data-session": key }, user, client, age, file, moved, rate, actions);
  const update = (/** @type {any} */ { session, fastest, age: seconds, still }) => {
    current = session;
    const who = session.username === undefined ? "–" : formatName(session.username, 80);
    if (name.textContent !== who) {
      setText(name, who);
      kick.setAttribute("aria-label", `Disconnect ${who} from ${session.remote}`);
      refuse.setAttribute("aria-label", `Ban ${session.remote}, ${who}`);
    }
    const state = [session.isLoggedIn ? "" : "not logged in", session.tls === undefined ? "no TLS" : ""];
    setText(badge, state.filter((text) => text !== "").join(", "));
    badge.hidden = badge.textContent === "";
    setText(client, session.remote);
    client.title = session.tls ?? "in clear";
    setText(age, formatDuration(seconds));
    showTransfer(session.transfer, { verb, path, moved, speed, bar, file }, fastest, still);
  };
  return { element, update };
}

/**
 * @param {any} transfer
 * @param {Record<string, any>} cells
 * @param {number} fastest
 * @param {number} still
 */
function showTransfer(transfer, { verb, path, moved, speed, bar, file }, fastest, still) {
  const isRunning = transfer !== undefined;
  setText(verb, isRunning ? directionOf(transfer.command) : "idle");
  setText(path, isRunning ? formatName(transfer.path) : "");
  file.title = isRunning ? formatName(transfer.path, 1000) : "";
  setText(moved, isRunning ? formatBytes(transfer.bytes) : "");
  const stands = still >= STILL_SECONDS ? `standing still for ${formatDuration(still)}` : "";
  setText(speed, isRunning ? stands || formatRate(transfer.rate) : "");
  bar.hidden = !isRunning;
  bar.classList.toggle("still", stands !== "");
  bar.firstChild.style.transform = `scaleX(${isRunning ? (transfer.rate / fastest).toFixed(3) : 0})`;
}

/** @param {string} command */
function directionOf(command) {
  return command === "RETR" ? "↓ download" : "↑ upload";
}

function makeListed() {
  const path = make("bdi");
  const about = make("span", { class: "muted" });
  const bytes = make("span", { class: "number" });
  const element = make("li", {}, make("div", {}, path, about), bytes);
  const update = (/** @type {any} */ { session }) => {
    const { transfer, username, remote } = session;
    setText(path, formatName(transfer.path, 80));
    setText(about, `${directionOf(transfer.command)}, ${formatName(username ?? "–", 40)} from ${remote}`);
    setText(bytes, `${formatBytes(transfer.bytes)} at ${formatRate(transfer.rate)}`);
  };
  return { element, update };
}
