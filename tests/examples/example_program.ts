/**
 * The programs of `examples/`, each in a process of its own, started as its header says.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { RawClient, type RawClientOptions } from "../helpers/raw_client.ts";
import { withDeadline } from "../helpers/socket_reader.ts";

/** Folder of the examples. */
export const EXAMPLES = new URL("../../examples/", import.meta.url);
/** What headers have where a test says 0. */
const PORTS: readonly string[] = ["2121", "2122", "2990"];
const DEADLINE_MS = 20_000;

/** How an example is started. */
export interface StartOptions {
  /** Folder that it is started in. Paths of the header start from here. */
  readonly cwd: string;
  /** Words of the header's line that are exchanged; ports are 0 in any case. */
  readonly exchange?: Readonly<Record<string, string>>;
  /** Further permission flags, where the header says that more arguments need them. */
  readonly flags?: readonly string[];
  /** Further arguments. */
  readonly args?: readonly string[];
}

/** The text of an example. */
export function textOf(name: string): Promise<string> {
  return Deno.readTextFile(new URL(`${name}.ts`, EXAMPLES));
}

/** The arguments of Deno in the one line of the header that starts the example. */
export async function commandLineOf(name: string): Promise<readonly string[]> {
  const lines = [...(await textOf(name)).matchAll(/^ \* deno run (.+)$/gm)];
  const [words = "", ...others] = lines.map(([, words]) => words);
  if (words === "" || others.length > 0) {
    throw new Error(`Expected one line "deno run" in ${name}, got ${lines.length}`);
  }
  return words.split(" ");
}

/** A running example. It is killed at the end of its scope, if it has not ended. */
export class ExampleProgram implements AsyncDisposable {
  /** What it wrote until now. */
  readonly lines: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  #changed = Promise.withResolvers<void>();
  #ended = false;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#reading = Promise.all([this.#read(process.stdout), this.#read(process.stderr)]).then(() => {
      this.#ended = true;
      this.#changed.resolve();
    });
  }

  /** Starts an example with the permissions and arguments of its header, and waits until it listens. */
  static async start(name: string, options: StartOptions): Promise<ExampleProgram> {
    const { cwd, exchange = {}, flags = [], args: further = [] } = options;
    const words = await commandLineOf(name);
    const unknown = Object.keys(exchange).filter((word) => !words.includes(word));
    assertEquals(unknown, [], "The header has no such words to exchange");
    const file = `examples/${name}.ts`;
    const args = words.map((word) => {
      if (word === file) return new URL(`${name}.ts`, EXAMPLES).pathname;
      return PORTS.includes(word) ? "0" : exchange[word] ?? word;
    });
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...flags, ...args, ...further],
      cwd,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const example = new ExampleProgram(process);
    try {
      await example.port();
    } catch (error) {
      await example[Symbol.asyncDispose]();
      throw error;
    }
    return example;
  }

  /** Waits for a line that fits, also one of the past; `index` counts those that do. Rejects when the program ends before. */
  async line(pattern: RegExp, index = 0): Promise<RegExpExecArray> {
    for (;;) {
      const found = this.lines.map((line) => pattern.exec(line)).filter((match) => match !== null)[index];
      if (found !== undefined) return found;
      const output = this.lines.join("\n");
      if (this.#ended) throw new Error(`The example ended without ${pattern}:\n${output}`);
      await withDeadline(this.#changed.promise, `a line like ${pattern} after:\n${output}`, DEADLINE_MS);
    }
  }

  /** The port that it says it listens on; `index` counts its listeners. */
  async port(index = 0): Promise<number> {
    const [, port] = await this.line(/^Listening on (?:127\.0\.0\.1|0\.0\.0\.0):(\d+)/, index);
    return Number(port);
  }

  /** Connects to a listener, reads the greeting, and starts TLS where that is explicit. */
  async connect(options: Partial<RawClientOptions> & { readonly index?: number } = {}): Promise<RawClient> {
    const { index = 0, ...rest } = options;
    const client = await RawClient.connect({ host: "127.0.0.1", port: await this.port(index), ...rest });
    assertEquals((await client.readReply("connecting")).code, 220);
    if (client.tls === undefined) assertEquals((await client.startTls()).code, 234);
    return client;
  }

  /** Connects and logs in. */
  async login(username = "anonymous", password = "guest@"): Promise<RawClient> {
    const client = await this.connect();
    await client.login(username, password);
    return client;
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Stops it as Ctrl-C does, and checks that it says that all went well. */
  async stop(): Promise<void> {
    this.kill("SIGINT");
    const status = await this.#exited();
    assertEquals([status.code, status.signal], [0, null], this.lines.join("\n"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended already.
    }
    await this.#exited();
  }

  async #exited(): Promise<Deno.CommandStatus> {
    const status = await withDeadline(this.#process.status, "the example to end", DEADLINE_MS);
    await this.#reading;
    return status;
  }

  async #read(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const text of output.pipeThrough(new TextDecoderStream())) {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    }
    if (rest !== "") this.lines.push(rest);
  }
}
