/**
 * What went wrong, quotas, bans and nodes.
 *
 * @module
 */

import { lift } from "./actions.js";
import { byId, KeyedRows, make, setText } from "./elements.js";
import { explain } from "./explain.js";
import { formatBytes, formatCount, formatDuration, formatName, formatTime } from "./format.js";

const MAX_INCIDENTS = 500;
const MAX_SHOWN = 50;
const MAX_BANS = 100;

/** Shows the incidents, the newest at the top. */
export class Trouble {
  #rows = new KeyedRows(byId("trouble"), makeIncident, "Nothing went wrong since the server was started.");
  /** @type {any[]} */
  #incidents = [];
  #count = 0;

  /**
   * @param {readonly any[]} incidents The newest at the end.
   * @param {boolean} isAnew Whether they are all that there are.
   */
  take(incidents, isAnew) {
    if (isAnew) this.#incidents = [];
    for (const incident of incidents) this.#incidents.push({ key: String(this.#count++), incident });
    if (this.#incidents.length > MAX_INCIDENTS) this.#incidents = this.#incidents.slice(-MAX_INCIDENTS);
  }

  /** Shows what was taken. */
  show() {
    this.#rows.show(this.#incidents.slice(-MAX_SHOWN).reverse(), ({ key }) => key);
    const more = this.#incidents.length - MAX_SHOWN;
    setText(byId("trouble-note"), more > 0 ? `The last ${MAX_SHOWN}; the log has the others.` : "");
  }
}

/**
 * @param {string} _key
 * @param {any} item
 */
function makeIncident(_key, { incident }) {
  const { time, event, username, remote, session, text, code } = incident;
  const { name, why, section } = explain(incident);
  const who = [username && formatName(username, 60), remote].filter(Boolean).join(" from ");
  const element = make(
    "li",
    {},
    make("time", { datetime: String(time) }, formatTime(time)),
    make(
      "div",
      {},
      make(
        "p",
        {},
        make("b", { class: `event ${event}` }, code === undefined ? name : `${name}, ${code}`),
        " ",
        make("bdi", {}, who),
      ),
      make("p", {}, make("bdi", {}, formatName(text, 240))),
      make(
        "p",
        { class: "muted" },
        `${why} `,
        make("code", {}, `docs/troubleshooting.md#${section}`),
        session === undefined ? "" : ` Session ${formatName(session, 40)}.`,
      ),
    ),
  );
  return { element, update: () => {} };
}

/** Shows what is asked for each few seconds. */
export class Lists {
  #quotas = new KeyedRows(byId("quotas"), makeQuota, "No account has a quota.");
  #bans = new KeyedRows(byId("bans"), makeBan, "No address is banned.");
  #nodes = new KeyedRows(byId("nodes"), makeNode, "This server is alone: it shares its state with no other.");

  /** @param {{ quotas: readonly any[], bans: readonly any[], nodes: readonly any[] }} lists */
  show({ quotas, bans, nodes }) {
    this.#quotas.show(quotas, ({ name }) => name);
    this.#bans.show(bans.slice(0, MAX_BANS), ({ address }) => address);
    this.#nodes.show(nodes, ({ name }) => name);
  }
}

/** @param {string} name */
function makeQuota(name) {
  const label = formatName(name, 80);
  const kinds = [
    { kind: "bytes", format: formatBytes },
    {
      kind: "files",
      format: (/** @type {number} */ count) => `${formatCount(count)} ${count === 1 ? "file" : "files"}`,
    },
  ];
  const lines = kinds.map(({ kind, format }) => {
    const text = make("span", { class: "number" });
    const meter = make("meter", { min: "0", "aria-label": `${label}, ${kind}` });
    return { kind, format, text, meter, element: make("div", { class: "quota" }, meter, text) };
  });
  const uncounted = make("span", { class: "muted" }, "Nobody has counted yet what is stored.");
  const element = make(
    "li",
    {},
    make("div", {}, make("bdi", {}, label), uncounted, ...lines.map((line) => line.element)),
  );
  const update = (/** @type {any} */ { limits, used }) => {
    uncounted.hidden = used !== undefined;
    for (const { kind, format, text, meter, element: line } of lines) {
      const limit = limits[kind];
      line.hidden = limit === 0;
      meter.hidden = used === undefined;
      meter.max = limit;
      meter.high = limit * 0.9;
      meter.optimum = 0;
      meter.value = used?.[kind] ?? 0;
      setText(text, `${used === undefined ? "at most" : `${format(used[kind])} of`} ${format(limit)}`);
    }
  };
  return { element, update };
}

/** @param {string} address */
function makeBan(address) {
  const left = make("span", { class: "muted" });
  const button = make("button", { type: "button", "aria-label": `Lift the ban of ${address}` }, "Lift…");
  button.onclick = () => lift(address);
  return {
    element: make("li", {}, make("div", {}, make("code", {}, address), left), button),
    update: (/** @type {any} */ { seconds }) => setText(left, `for another ${formatDuration(seconds)}`),
  };
}

/** @param {string} name */
function makeNode(name) {
  const about = make("span", { class: "muted" });
  const sessions = make("span", { class: "number" });
  return {
    element: make("li", {}, make("div", {}, make("bdi", {}, formatName(name, 80)), about), sessions),
    update: (/** @type {any} */ { isThis, sessions: count, leaseSeconds }) => {
      const state = leaseSeconds <= 0 ? "gone" : `lease of ${formatDuration(leaseSeconds)}`;
      setText(about, isThis ? `this node, ${state}` : state);
      setText(sessions, `${formatCount(count)} ${count === 1 ? "session" : "sessions"}`);
    },
  };
}
