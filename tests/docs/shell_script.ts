/**
 * Shell lines of the pages, run in a folder of their own.
 *
 * @module
 */

import { withDeadline } from "../helpers/socket_reader.ts";

const DEADLINE_MS = 30_000;

/** How lines are run. */
export interface ScriptOptions {
  /** Folder that they are run in; it is HOME, too. */
  readonly folder: string;
  /** Further variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Lines that are run by bash, which stops at the first one that fails. */
export class ShellScript implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  #output = "";
  #changed = Promise.withResolvers<void>();
  #hasEnded = false;

  /** Starts. The program of the last line takes the place of the shell, so that it gets the signals. */
  constructor(text: string, { folder, env = {} }: ScriptOptions) {
    const lines = text.replaceAll("\\\n", " ").trimEnd().split("\n");
    const last = lines.pop() ?? "";
    const script = [...lines, /^\w+=/.test(last) ? last : `exec ${last}`].join("\n");
    this.#process = new Deno.Command("bash", {
      args: ["-eu", "-o", "pipefail", "-c", script],
      cwd: folder,
      env: { HOME: folder, NO_COLOR: "1", DENO_DIR: denoFolder(), ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#reading = Promise.all([this.#read(this.#process.stdout), this.#read(this.#process.stderr)]).then(() => {
      this.#hasEnded = true;
      this.#changed.resolve();
    });
  }

  /** Runs lines to their end; tells what they wrote. They have to succeed. */
  static async run(text: string, options: ScriptOptions): Promise<string> {
    await using script = new ShellScript(text, options);
    await script.succeeded();
    return script.#output;
  }

  /** Waits for output that fits, also of the past. Rejects when the script ends before. */
  async output(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match !== null) return match;
      if (this.#hasEnded) throw new Error(`The script ended without ${pattern}:\n${this.#output}`);
      await withDeadline(this.#changed.promise, `${pattern} after:\n${this.#output}`, DEADLINE_MS);
    }
  }

  /** Waits for the end, and fails when something has failed. */
  async succeeded(): Promise<void> {
    const { code } = await withDeadline(this.#process.status, `the end after:\n${this.#output}`, DEADLINE_MS);
    await this.#reading;
    if (code !== 0) throw new Error(`The script ended with status ${code}:\n${this.#output}`);
  }

  /** Stops a server, which has said its process id, as an operator does, and waits for its end. */
  async stop(): Promise<void> {
    const [, pid] = await this.output(/\bpid (\d+)/);
    Deno.kill(Number(pid), "SIGTERM");
    await this.succeeded();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) {
      // `deno task` has a child that outlives it.
      const [, pid] = /\bpid (\d+)/.exec(this.#output) ?? [];
      for (const id of [Number(pid ?? this.#process.pid), this.#process.pid]) kill(id);
    }
    await this.#process.status;
    await this.#reading;
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#output += text;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    }
  }
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error; // It has ended already.
  }
}

/** Where the modules are: with another HOME they would be fetched anew. */
function denoFolder(): string {
  return Deno.env.get("DENO_DIR") ?? `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;
}
