/**
 * Questions before changes, and how these went.
 *
 * @module
 */

import { byId, make } from "./elements.js";

const ANNOUNCED_MS = 10_000;

/** Event of the window: something was changed, and should be looked up anew. */
export const CHANGED = "ftpsd-changed";

/**
 * Asks whether something should be done, does it, and says how it went. The dialog stays where it could not be done.
 *
 * @param {{
 *   title: string,
 *   text: string,
 *   yes: string,
 *   isDangerous?: boolean,
 *   fields?: readonly any[],
 *   act: (values: Record<string, string>) => Promise<string>,
 * }} question `act` returns what is said of it.
 */
export function question({ title, text, yes, isDangerous = false, fields = [], act }) {
  const dialog = byId("question");
  const button = byId("question-yes");
  byId("question-title").textContent = title;
  byId("question-text").textContent = text;
  byId("question-error").textContent = "";
  byId("question-fields").replaceChildren(...fields);
  button.textContent = yes;
  button.className = isDangerous ? "main danger" : "main";
  button.disabled = false;
  byId("question-no").onclick = () => dialog.close();
  byId("question-form").onsubmit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    try {
      const inputs = [...dialog.querySelectorAll("input, select")];
      announce(await act(Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()]))));
      globalThis.dispatchEvent(new Event(CHANGED));
      dialog.close();
    } catch (error) {
      byId("question-error").textContent = `Not done: ${error instanceof Error ? error.message : error}`;
    } finally {
      button.disabled = false;
    }
  };
  dialog.showModal();
}

/**
 * Says something, to those who see and those who hear.
 *
 * @param {string} text
 */
export function announce(text) {
  const element = byId("announcement");
  element.textContent = text;
  setTimeout(() => {
    if (element.textContent === text) element.textContent = "";
  }, ANNOUNCED_MS);
}

/**
 * A field of a question.
 *
 * @param {string} label
 * @param {Element} input
 */
export function field(label, input) {
  return make("label", { class: "field" }, make("span", {}, label), input);
}
