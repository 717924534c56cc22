/**
 * The server at a glance, with what it warns of.
 *
 * @module
 */

import { byId, KeyedRows, make, setText } from "./elements.js";
import { formatCount, formatDuration, formatName, formatRate } from "./format.js";
import { pointBetween } from "./timeline.js";

const WARN_DAYS = 14;

/** Shows the server. */
export class Overview {
  #tiles = new KeyedRows(byId("overview"), makeTile);
  #facts = new KeyedRows(byId("certificate"), makeFact);
  #warnings = new KeyedRows(byId("warnings"), makeLine);
  #risks = new KeyedRows(byId("risks"), makeRisk, "None.");
  /** @type {any} */
  #before;
  /** @type {any} */
  #message;

  /** @param {any} message Of the stream. */
  take(message) {
    if (this.#message !== undefined) this.#before = this.#message;
    this.#message = message;
  }

  /** The next message is the first one of a connection. */
  begin() {
    this.#message = undefined;
    this.#before = undefined;
  }

  /** Shows what was taken last. */
  show() {
    const { server, sessions, totals, time } = this.#message;
    const point = (now) => ({ time: now.time, sessions: now.server.sessions, totals: now.totals });
    const rates = this.#before && pointBetween(point(this.#before), point(this.#message));
    const rate = (/** @type {number | undefined} */ value) => value === undefined ? "–" : formatRate(value);
    setText(byId("version"), server.version);
    const readiness = byId("readiness");
    readiness.hidden = false;
    readiness.className = `pill ${server.isReady ? "good" : "bad"}`;
    setText(readiness, server.isReady ? "ready" : server.notReady === "stopping" ? "draining" : server.notReady);
    this.#tiles.show([
      ["Sessions", formatCount(server.sessions)],
      ["Transfers", formatCount(sessions.filter((/** @type {any} */ { transfer }) => transfer).length)],
      ["Receiving", rate(rates?.received)],
      ["Sending", rate(rates?.sent)],
      ["Completed", formatCount(totals.transfers)],
      ["Cut short", formatCount(totals.incomplete)],
      ["Logins", formatCount(totals.logins)],
      ["Failed logins", formatCount(totals.loginsFailed)],
      ["Uptime", formatDuration(time - Date.parse(server.since) / 1000)],
    ], first);
    this.#facts.show(factsOf(server), first);
    this.#warnings.show(warningsOf(server), String);
    this.#risks.show(server.acceptedRisks, ({ risk }) => risk);
    document.title = `${formatCount(server.sessions)} sessions, ftpsd`;
  }
}

/** @param {readonly string[]} pair */
function first([name = ""]) {
  return name;
}

/** @param {any} server */
function warningsOf({ isReady, notReady, certificate }) {
  const warnings = [];
  if (!isReady) warnings.push(`New clients should go elsewhere: ${notReady}.`);
  if (certificate === undefined) return warnings;
  const { daysLeft, ordering } = certificate;
  if (ordering !== undefined && ordering.failures > 0) {
    warnings.push(`No certificate was to be had from the CA: ${formatName(ordering.lastFailure ?? "", 300)}.`);
  }
  if (daysLeft < 0) warnings.push("The certificate has expired: clients refuse it.");
  else if (daysLeft < WARN_DAYS) warnings.push(`The certificate expires ${inDays(daysLeft)}.`);
  return warnings;
}

/** @param {number} days */
function inDays(days) {
  return days === 0 ? "today" : days === 1 ? "in 1 day" : `in ${days} days`;
}

/** @param {any} server */
function factsOf({ certificate, addresses, workers, since }) {
  const listening = addresses.map((/** @type {any} */ { host, port, tls }) =>
    `${host.includes(":") ? `[${host}]` : host}:${port} (${tls === "off" ? "no TLS" : `${tls} TLS`})`
  );
  const facts = [
    ["Listening", listening.join(", ") || "nowhere"],
    ["Event loops", String(workers)],
    ["Since", since.replace("T", " ").replace(/\.\d+Z$/, " UTC")],
  ];
  if (certificate === undefined) return [["Certificate", "none"], ...facts];
  const { names, validTo, daysLeft, selfSigned, fingerprint, ordering } = certificate;
  return [
    [
      "Certificate",
      `${names.map((/** @type {string} */ name) => formatName(name)).join(", ")}${selfSigned ? " (self-signed)" : ""}`,
    ],
    [
      "Expires",
      daysLeft < 0 ? `has expired on ${validTo.slice(0, 10)}` : `${validTo.slice(0, 10)}, ${inDays(daysLeft)}`,
    ],
    ...ordering === undefined ? [] : [["Next order", orderText(ordering)]],
    ["SHA-256", fingerprint],
    ...facts,
  ];
}

/** @param {any} ordering */
function orderText({ isOrdering, nextAttempt, failures }) {
  const next = isOrdering ? "now" : nextAttempt.replace("T", " ").replace(/\.\d+Z$/, " UTC");
  return failures === 0 ? next : `${next} (failed ${failures} times)`;
}

/** @param {string} name */
function makeTile(name) {
  const value = make("dd");
  return {
    element: make("div", { class: "card" }, make("dt", {}, name), value),
    update: (/** @type {readonly string[]} */ [, text = ""]) => setText(value, text),
  };
}

/** @param {string} name */
function makeFact(name) {
  const value = make("dd");
  return {
    element: make("div", {}, make("dt", {}, name), value),
    update: (/** @type {readonly string[]} */ [, text = ""]) => setText(value, text),
  };
}

/** @param {string} text */
function makeLine(text) {
  return { element: make("li", { class: "warning" }, text), update: () => {} };
}

/** @param {string} risk */
function makeRisk(risk) {
  const reason = make("span", { class: "muted" });
  return {
    element: make("li", {}, make("div", {}, make("code", {}, risk), reason)),
    update: (/** @type {any} */ { reason: text, until }) =>
      setText(reason, `${formatName(text, 300)}${until === undefined ? "" : ` (until ${until})`}`),
  };
}
