/**
 * What the page can change: each with a question first.
 *
 * @module
 */

import { ask } from "./api.js";
import { make } from "./elements.js";
import { formatName } from "./format.js";
import { field, question } from "./question.js";

const BAN_TIMES = [["900", "15 minutes"], ["3600", "1 hour"], ["86400", "1 day"], ["2592000", "30 days"]];

/**
 * Ends a session.
 *
 * @param {{ session: string, username?: string, remote: string }} session
 */
export function disconnect({ session, username = "nobody yet", remote }) {
  question({
    title: "Disconnect this session?",
    text: `${formatName(username)} from ${remote} (${session}): what it transfers is cut. The client may come again.`,
    yes: "Disconnect",
    isDangerous: true,
    act: async () => {
      await ask("DELETE", `/sessions/${encodeURIComponent(session)}`);
      return `Session ${session} was disconnected.`;
    },
  });
}

/**
 * Bans an address.
 *
 * @param {string} [address]
 */
export function ban(address = "") {
  const input = make("input", { name: "address", required: "", autocomplete: "off", spellcheck: "false" });
  input.value = address;
  const times = BAN_TIMES.map(([value, text]) => make("option", { value }, text));
  question({
    title: "Ban an address?",
    text: "New connections of it are refused, on all nodes. Sessions that it has go on.",
    yes: "Ban",
    isDangerous: true,
    fields: [field("Address", input), field("For", make("select", { name: "seconds" }, ...times))],
    act: async ({ address: given = "", seconds }) => {
      await ask("POST", "/bans", { address: given, seconds: Number(seconds) });
      return `${given} is banned.`;
    },
  });
}

/**
 * Lifts a ban.
 *
 * @param {string} address
 */
export function lift(address) {
  question({
    title: "Lift this ban?",
    text: `${address} may connect again, to all nodes.`,
    yes: "Lift",
    act: async () => {
      await ask("DELETE", `/bans/${encodeURIComponent(address)}`);
      return `The ban of ${address} was lifted.`;
    },
  });
}

/** Reads the configuration again. */
export function reload() {
  question({
    title: "Reload the configuration?",
    text: "The server reads its file again. One that cannot be used changes nothing.",
    yes: "Reload",
    act: async () => {
      await ask("POST", "/reload");
      return "The configuration was read again.";
    },
  });
}

/** Stops the server. */
export function drain() {
  question({
    title: "Drain and stop the server?",
    text:
      "Balancers are told, running transfers may end in the times of “shutdown”, then the server stops, and this page with it.",
    yes: "Drain and stop",
    isDangerous: true,
    act: async () => {
      await ask("POST", "/drain");
      return "The server is stopping.";
    },
  });
}

/**
 * The address in `address:port` or `[address]:port`.
 *
 * @param {string} remote
 */
export function hostOf(remote) {
  return remote.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
