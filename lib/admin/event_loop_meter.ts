/**
 * What an event loop measures, counted by the instruments.
 *
 * @module
 */

import type { ServerEventName, ServerEvents } from "../events.ts";
import type { CallOutcome, Dependency, HookResult, Meter } from "../meter.ts";
import { type InstrumentMemory, InstrumentWriter } from "./instruments.ts";

/** Counts what one event loop measures. */
export class EventLoopMeter implements Meter {
  readonly #writer: InstrumentWriter;

  /** @param memory Of this event loop alone. */
  constructor(memory: InstrumentMemory) {
    this.#writer = new InstrumentWriter(memory);
  }

  event<Name extends ServerEventName>(name: Name, fields: ServerEvents[Name]): void {
    COUNTS[name]?.(this.#writer, fields);
  }

  readonly moved = (direction: "send" | "receive", bytes: number): void => {
    this.#writer.add("transferredBytes", [direction], bytes);
  };

  called(dependency: Dependency, call: string, { seconds, hasFailed }: CallOutcome): void {
    const isState = dependency === "state";
    this.#writer.observe(isState ? "stateSeconds" : "storeSeconds", [call], seconds);
    if (hasFailed) this.#writer.add(isState ? "stateFailures" : "storeFailures");
  }

  told(hook: string, result: HookResult): void {
    this.#writer.add("hookEvents", [hook, result]);
  }
}

type Count<Name extends ServerEventName> = (writer: InstrumentWriter, fields: ServerEvents[Name]) => void;

/** What each event counts as; of the others nothing is counted. */
const COUNTS: { readonly [Name in ServerEventName]?: Count<Name> } = {
  connected: (writer) => writer.add("connections"),
  disconnected: (writer) => writer.add("connectionsEnded"),
  connectionRefused: (writer) => writer.add("connectionsRefused"),
  secured: (writer, { protocol, resumed }) => writer.add("handshakes", [protocol, String(resumed)]),
  loginSucceeded: (writer) => writer.add("logins", ["succeeded"]),
  loginFailed: (writer) => writer.add("logins", ["failed"]),
  banned: (writer) => writer.add("bans"),
  certificateRenewed: (writer) => writer.add("certificateOrders", ["succeeded"]),
  certificateRenewalFailed: (writer) => writer.add("certificateOrders", ["failed"]),
  transferStarted: (writer, { command }) => writer.add("transfersStarted", [directionOf(command)]),
  fileSent: (writer, ended) => countTransfer(writer, ended, "complete"),
  fileReceived: (writer, ended) => countTransfer(writer, ended, "complete"),
  transferIncomplete: (writer, ended) => countTransfer(writer, ended, "incomplete"),
  commandRefused: (writer, { code }) => writer.add("refusals", [String(code)]),
  commandDone: (writer, { command, seconds }) => writer.observe("commandSeconds", [command], seconds),
  internalError: (writer) => writer.add("internalErrors"),
};

function countTransfer(
  writer: InstrumentWriter,
  { command, seconds }: { readonly command: string; readonly seconds: number },
  result: "complete" | "incomplete",
): void {
  const direction = directionOf(command);
  writer.add("transfers", [direction, result]);
  writer.observe("transferSeconds", [direction], seconds);
}

function directionOf(command: string): "send" | "receive" {
  return command === "RETR" ? "send" : "receive";
}
