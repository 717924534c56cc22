/**
 * A connection to one directory: TLS first, then one operation after the other, each with a deadline.
 *
 * `npm:ldapts` speaks the protocol: it is in wide use and well kept, and has one dependency, of types alone. Over a stream of ours
 * it needs no permission but to connect, and cannot be made to take more than is good for the server.
 *
 * @module
 */

import { Client, ResultCodeError } from "ldapts";
import { abortable } from "../../deadline.ts";
import { describeThrown } from "../../thrown.ts";
import { type ByteChannel, LdapStream } from "./ldap_stream.ts";
import { secure } from "./ldap_tls.ts";

/** Where a directory is, and how it is spoken to. */
export interface LdapAddress {
  readonly host: string;
  readonly port: number;
  /** Whether there is TLS from the start, before the first operation, or never. */
  readonly tls: "implicit" | "starttls" | "none";
  /** Certificates in PEM that its certificate has to lead up to; absent: those that Deno trusts. */
  readonly ca?: string | undefined;
}

/** An entry: the values of each attribute, by the attribute in lower case. */
export interface LdapEntry {
  readonly dn: string;
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

/** What is searched. */
export interface LdapSearch {
  readonly base: string;
  readonly scope: "base" | "sub";
  readonly filter?: string;
  readonly attributes: readonly string[];
  /** Most entries; with more it is `sizeLimitExceeded`. */
  readonly sizeLimit: number;
}

/** What a directory has answered instead of a success: a result code of RFC 4511 §4.1.9. The message is for the log. */
export class LdapResultError extends Error {
  /** The name of the class. */
  override readonly name = "LdapResultError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The request to begin TLS (RFC 4511 §4.14.1), as message 1. */
const START_TLS = new Uint8Array([
  ...[0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16],
  ...new TextEncoder().encode("1.3.6.1.4.1.1466.20037"),
]);
/** A result without anything but its code; more is left out by who answers so. */
const MAX_START_TLS_ANSWER = 1024;

/** A connection, until it is disposed of. */
export class LdapConnection implements Disposable {
  readonly #client: Client;
  readonly #stream: LdapStream;

  private constructor(connection: ByteChannel) {
    this.#stream = new LdapStream(connection);
    let isFirst = true;
    const createConnection = () => {
      if (!isFirst) throw new Error("the connection has ended");
      isFirst = false;
      return this.#stream;
    };
    this.#client = new Client({
      url: "ldap://directory", // which it does not look for
      createConnection: createConnection as unknown as NonNullable<
        ConstructorParameters<typeof Client>[0]["createConnection"]
      >,
    });
  }

  /**
   * Connects; with TLS where the address says so.
   *
   * @throws The reason of the signal when it aborts.
   */
  static async open(address: LdapAddress, signal: AbortSignal): Promise<LdapConnection> {
    signal.throwIfAborted();
    const { host: hostname, port } = address;
    const connection = await Deno.connect({ hostname, port, signal });
    const close = () => closeQuietly(connection);
    signal.addEventListener("abort", close, { once: true });
    try {
      signal.throwIfAborted();
      if (address.tls === "starttls") await askForTls(connection);
      const channel = address.tls === "none"
        ? connection
        : await abortable(secure(connection, { host: hostname, ca: address.ca }), signal);
      return new LdapConnection(channel);
    } catch (error) {
      closeQuietly(connection);
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  /** Whether it can be used further. */
  get isOpen(): boolean {
    return !this.#stream.destroyed;
  }

  /**
   * Proves who we are. An empty password would prove nothing, and succeed (RFC 4513 §5.1.2).
   *
   * @throws {LdapResultError} When the directory says no.
   */
  async bind(dn: string, password: string, signal: AbortSignal): Promise<void> {
    if (password === "" || dn === "") throw new TypeError("Cannot bind: the name or the password is empty");
    await this.#run(() => this.#client.bind(dn, password), signal);
  }

  /**
   * Finds entries. References to other directories are passed over: who they are is not ours to trust.
   *
   * @throws {LdapResultError} When the directory says no.
   */
  async search({ base, ...search }: LdapSearch, signal: AbortSignal): Promise<readonly LdapEntry[]> {
    const attributes = [...search.attributes];
    const { searchEntries } = await this.#run(
      () => this.#client.search(base, { ...search, attributes, derefAliases: "never" }),
      signal,
    );
    return searchEntries.map(({ dn, ...values }) => ({ dn: String(dn), attributes: toAttributes(values) }));
  }

  /** @throws The reason of the signal when it aborts; the connection has ended then. */
  async #run<Result>(operation: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    this.#stream.beginOperation();
    try {
      return await abortable(operation(), signal);
    } catch (error) {
      if (error instanceof ResultCodeError) throw new LdapResultError(error.code, error.message);
      const cause = this.#stream.errored; // says more than that no answer came
      this[Symbol.dispose]();
      signal.throwIfAborted();
      throw cause ?? error;
    }
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }
}

function toAttributes(values: Readonly<Record<string, unknown>>): ReadonlyMap<string, readonly string[]> {
  return new Map(
    Object.entries(values).map(([name, value]) => {
      const texts = (Array.isArray(value) ? value : [value]).filter((it) => typeof it === "string");
      return [name.toLowerCase(), texts];
    }),
  );
}

/** Asks for TLS. @throws {LdapResultError} When it is refused. */
async function askForTls(connection: Deno.TcpConn): Promise<void> {
  for (let rest = START_TLS; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
  let answer = new Uint8Array();
  while (!isWhole(answer)) {
    const piece = new Uint8Array(MAX_START_TLS_ANSWER);
    const count = await connection.read(piece);
    if (count === null) throw new Error("it has closed the connection instead of beginning TLS");
    answer = new Uint8Array([...answer, ...piece.subarray(0, count)]);
    if (answer.length > MAX_START_TLS_ANSWER) throw new Error("its answer to StartTLS is too long");
  }
  const code = startTlsCode(answer);
  if (code !== 0) throw new LdapResultError(code ?? 2, `it does not begin TLS (result ${code ?? "unknown"})`);
}

/** Only short forms: of up to 127 bytes, or with one or two bytes of length. */
function isWhole(answer: Uint8Array): boolean {
  const [tag, first] = answer;
  if (tag === undefined || first === undefined) return false;
  if (tag !== 0x30 || first > 0x82 || first === 0x80) throw new Error("it does not speak LDAP");
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const length = lengthBytes === 0
    ? first
    : answer.subarray(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
  if (answer.length < 2 + lengthBytes) return false;
  const whole = 2 + lengthBytes + length;
  // Nothing may come in clear behind it: it would be taken for what came under TLS.
  if (answer.length > whole) throw new Error("it has sent more than the answer to StartTLS");
  return answer.length === whole;
}

/** The code in `SEQUENCE { messageID 1, extendedResp [24] { ENUMERATED code, … } }`; `undefined` where it is something else. */
function startTlsCode(answer: Uint8Array): number | undefined {
  const skip = (at: number) => at + 2 + ((answer[at + 1] ?? 0) < 0x80 ? 0 : (answer[at + 1] ?? 0) - 0x80);
  let at = skip(0);
  if (answer[at] !== 0x02 || answer[at + 1] !== 0x01 || answer[at + 2] !== 0x01) return undefined;
  at += 3;
  if (answer[at] !== 0x78) return undefined;
  at = skip(at);
  return answer[at] === 0x0a && answer[at + 1] === 0x01 ? answer[at + 2] : undefined;
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // it is closed
  }
}

/** What was thrown, for the log. */
export function describeFailure(error: unknown): string {
  return error instanceof Error ? error.message : describeThrown(error);
}
