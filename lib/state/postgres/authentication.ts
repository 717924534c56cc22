/**
 * How a client of PostgreSQL shows who it is, and sees that the server knows the password.
 *
 * @module
 */

import { serialize } from "pg-protocol";
import { SCRAM_SHA_256, ScramExchange } from "./scram.ts";

/** What the parser gives; see its `messages.d.ts`. */
export interface ServerMessage {
  readonly name: string;
  readonly fields?: readonly unknown[];
  readonly salt?: Uint8Array;
  readonly mechanisms?: readonly string[];
  readonly data?: string;
  readonly channel?: string;
  readonly payload?: string;
}

/** The messages from the start of a connection until it is ready. */
export class Authentication {
  readonly #user: string;
  readonly #password: string;
  readonly #send: (bytes: Uint8Array) => void;
  #exchange: ScramExchange | undefined;
  #isVerified = false;
  #isOk = false;

  /** @param send Sends bytes to the server. */
  constructor(user: string, password: string, send: (bytes: Uint8Array) => void) {
    this.#user = user;
    this.#password = password;
    this.#send = send;
  }

  /**
   * Takes a message.
   *
   * @returns Whether the connection is ready.
   * @throws {Error} When it cannot be.
   */
  take(message: ServerMessage): boolean {
    switch (message.name) {
      case "error":
        throw message;
      case "authenticationSASL": {
        if (!message.mechanisms?.includes(SCRAM_SHA_256)) throw cannotAuthenticate(this.#user);
        this.#exchange = new ScramExchange(this.#password);
        this.#send(serialize.sendSASLInitialResponseMessage(SCRAM_SHA_256, this.#exchange.clientFirst));
        return false;
      }
      case "authenticationSASLContinue":
        if (this.#exchange === undefined) throw cannotAuthenticate(this.#user);
        this.#send(serialize.sendSCRAMClientFinalMessage(this.#exchange.clientFinal(message.data ?? "")));
        return false;
      case "authenticationSASLFinal":
        this.#exchange?.verify(message.data ?? "");
        this.#isVerified = true;
        return false;
      case "authenticationOk":
        // A server that asks for no password may be anybody, where there is one.
        if (this.#password !== "" && !this.#isVerified) throw cannotAuthenticate(this.#user);
        this.#isOk = true;
        return false;
      case "authenticationCleartextPassword":
      case "authenticationMD5Password":
        throw cannotAuthenticate(this.#user);
    }
    if (message.name !== "readyForQuery") return false;
    if (!this.#isOk) throw cannotAuthenticate(this.#user); // as one that passes over all of that would do
    return true;
  }
}

function cannotAuthenticate(user: string): Error {
  return new Error(
    `It does not ask for a password by SCRAM-SHA-256: set password_encryption to that, and the password of ${user} anew`,
  );
}
