/**
 * Warnings of the runtime, such as that of too many listeners.
 *
 * @module
 */

import process from "node:process";

/**
 * Takes the runtime's warnings of this event loop from now on. Left to the runtime, they are written to standard error in the
 * event loop, where a full pipe stops it, and a full disk ends the process.
 *
 * @param onWarning Given one line.
 */
export function takeWarnings(onWarning: (text: string) => void): void {
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => onWarning(`warning of the runtime: ${name}: ${message}`));
}
