/**
 * The live page: follows the server, and shows it at most once a frame.
 *
 * @module
 */

import { ban, drain, reload } from "./actions.js";
import { ask, follow, keepToken, readToken } from "./api.js";
import { byId, setText } from "./elements.js";
import { Lists, Trouble } from "./lists.js";
import { Overview } from "./overview.js";
import { followColors, Plot, PLOTS } from "./plots.js";
import { CHANGED } from "./question.js";
import { SessionsTable } from "./sessions.js";
import { Timeline } from "./timeline.js";

const POLL_MS = 5_000;

const wantsToken = document.documentElement.dataset.token === "wanted";
const overview = new Overview();
const trouble = new Trouble();
const lists = new Lists();
const sessions = new SessionsTable(() => schedule());
const timelines = { hour: new Timeline(10, 360), day: new Timeline(300, 288) };
const plots = PLOTS.map((plot) => new Plot(plot));

let isScheduled = false;
let now = 0;
let live = new AbortController();
let wake = () => {};

/** Shows everything in the next frame, once. */
function schedule() {
  if (isScheduled || now === 0) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    overview.show();
    sessions.show();
    trouble.show();
    setTimeout(showPlots); // in a task of its own: both together might be seen to stutter
  });
}

function showPlots() {
  const span = document.querySelector("input[name=span]:checked");
  const timeline = span instanceof HTMLInputElement && span.value === "day" ? timelines.day : timelines.hour;
  const points = timeline.points();
  for (const plot of plots) plot.show(points, timeline.length, now);
}

/**
 * @param {any} message
 * @param {boolean} isFirst
 */
function take(message, isFirst) {
  if (isFirst) {
    byId("sign-in").hidden = true;
    byId("panel").hidden = false;
    byId("server-actions").hidden = false;
    overview.begin();
    void loadHistory();
  }
  now = message.time;
  overview.take(message);
  sessions.take(message.sessions, message.time);
  trouble.take(message.incidents, isFirst);
  for (const timeline of Object.values(timelines)) timeline.add(message);
  schedule();
}

async function loadHistory() {
  for (const [span, timeline] of Object.entries(timelines)) {
    try {
      timeline.load(await ask("GET", `/history?span=${span}`));
    } catch {
      // The stream goes on without it, and the next connection asks again.
    }
  }
}

/** @param {AbortSignal} signal */
async function poll(signal) {
  signal.addEventListener("abort", () => wake(), { once: true });
  while (!signal.aborted) {
    try {
      const [quotas, bans, nodes] = await Promise.all(["/quotas", "/bans", "/nodes"].map((path) => ask("GET", path)));
      if (!signal.aborted) lists.show({ quotas, bans, nodes });
    } catch {
      // The stream says whether the server is there.
    }
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
  }
}

function start() {
  live = new AbortController();
  const { signal } = live;
  const onState = (/** @type {{ text: string, isLive: boolean }} */ { text, isLive }) => {
    const element = byId("connection");
    element.className = `pill ${isLive ? "good" : "bad"}`;
    setText(element, text);
  };
  const onRefused = () => {
    leave(readToken() === "" ? "" : "This token is not right.");
  };
  void follow({ onMessage: take, onState, onRefused, signal });
  void poll(signal);
}

/** @param {string} why */
function leave(why) {
  live.abort();
  keepToken("");
  now = 0;
  byId("panel").hidden = true;
  byId("server-actions").hidden = true;
  byId("readiness").hidden = true;
  byId("sign-in").hidden = false;
  byId("connection").className = "pill";
  setText(byId("connection"), "not connected");
  setText(byId("token-error"), why);
  byId("token").focus();
}

globalThis.addEventListener(CHANGED, () => wake());
byId("plots").append(...plots.map(({ element }) => element));
followColors(plots);
byId("ban").onclick = () => ban();
byId("reload").onclick = reload;
byId("drain").onclick = drain;
byId("leave").hidden = !wantsToken;
byId("leave").onclick = () => leave("");
for (const input of document.querySelectorAll("input[name=span]")) input.addEventListener("change", schedule);
byId("token-form").onsubmit = (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  keepToken(byId("token").value.trim());
  byId("token").value = "";
  setText(byId("token-error"), "");
  start();
};
if (wantsToken && readToken() === "") leave("");
else start();
