/**
 * The program `ftpsd` in a process of its own, with the permissions of a user's command line.
 *
 * @module
 */

import { type ProgramOutput, runProgram } from "../helpers/run_program.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { withDeadline } from "../helpers/socket_reader.ts";

/** Absolute path of the program. */
export const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const DEADLINE_MS = 20_000;

/** What a server is started with. */
export interface SpawnOptions {
  /** Permission flags of Deno. */
  readonly flags: readonly string[];
  /** Arguments of the program. */
  readonly args: readonly string[];
  /** Another program than `ftpsd`, such as one that uses it with internal options. */
  readonly program?: string;
  /** An executable of `ftpsd`, which has its permissions in it, in the place of Deno with a program. */
  readonly executable?: string | undefined;
}

/** What a running server is started with. */
export interface ServerOptions extends SpawnOptions {
  /** After so many lines stderr is read no more, but closed. */
  readonly linesRead?: number;
  /** Folder that it is started in; absent: that of the tests. */
  readonly cwd?: string;
  /** Variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the configuration names the ports; absent: any port is used. */
  readonly hasOwnPorts?: boolean;
}

/** Arguments of Deno for a run of the program. */
export function denoArguments({ flags, args, program = MAIN }: SpawnOptions): string[] {
  return ["run", "--no-prompt", ...flags, program, ...args];
}

/** What is started, and its arguments. */
function commandLine(options: SpawnOptions): readonly [program: string, args: string[]] {
  const { executable, args } = options;
  return executable === undefined ? [Deno.execPath(), denoArguments(options)] : [executable, [...args]];
}

/** Runs the program where it ends by itself. */
export function runMain(options: SpawnOptions): Promise<ProgramOutput> {
  return runProgram(...commandLine(options), { env: { NO_COLOR: "1" }, deadlineMs: DEADLINE_MS });
}

/** A running program. It is killed at the end of its scope, if it has not ended. */
export class SpawnedServer implements AsyncDisposable {
  /** What it wrote to stderr until now. */
  readonly lines: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #linesRead: number;
  readonly #reading: Promise<void>;
  #changed = Promise.withResolvers<void>();
  #mayRead: Promise<void> = Promise.resolve();
  #readOn = () => {};
  #ended = false;

  private constructor(process: Deno.ChildProcess, linesRead: number) {
    this.#process = process;
    this.#linesRead = linesRead;
    this.#reading = this.#read();
  }

  /** Starts the program, on any port unless it has its own, and waits until it listens. */
  static async start(options: ServerOptions): Promise<SpawnedServer> {
    const server = SpawnedServer.spawn(options);
    try {
      await server.port();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** Starts the program, and waits for nothing. */
  static spawn(options: ServerOptions): SpawnedServer {
    const { args, linesRead = Infinity, hasOwnPorts = false, cwd, env } = options;
    const [program, words] = commandLine({ ...options, args: [...hasOwnPorts ? [] : ["--port", "0"], ...args] });
    const process = new Deno.Command(program, {
      args: words,
      env: { NO_COLOR: "1", ...env },
      ...cwd === undefined ? {} : { cwd },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    return new SpawnedServer(process, linesRead);
  }

  /** Process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Waits for a line that fits, also one of the past. Rejects when the program ends before. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.lineAfter(0, pattern);
  }

  /** Waits for a line that fits and comes after so many lines. */
  async lineAfter(count: number, pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      for (const line of this.lines.slice(count)) {
        const match = pattern.exec(line);
        if (match !== null) return match;
      }
      await this.#change(pattern);
    }
  }

  /** Port of the first listener, once it listens. */
  async port(): Promise<number> {
    const [, pretty, json] = await this.line(/>>> starting .*:(\d+) <<<|"listening".*"port":(\d+)/);
    return Number(pretty ?? json);
  }

  /** Connects, secures the connection and logs in. */
  async login(username = "anonymous", password = "guest"): Promise<RawClient> {
    const client = await RawClient.connect({ host: "127.0.0.1", port: await this.port(), deadlineMs: DEADLINE_MS });
    await client.readReply("connecting");
    await client.startTls();
    await client.login(username, password);
    return client;
  }

  /** Reads stderr no more, until what is returned is called. */
  stopReading(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#mayRead = promise;
    this.#readOn = resolve;
    return resolve;
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Waits for the end of the program alone. */
  status(): Promise<Deno.CommandStatus> {
    return withDeadline(this.#process.status, "the program to end", DEADLINE_MS);
  }

  /** Waits for the end of the program and of its output. */
  async exited(): Promise<Deno.CommandStatus> {
    const status = await this.status();
    await this.#reading;
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#readOn();
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended already.
    }
    await this.exited();
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stderr.pipeThrough(new TextDecoderStream())) {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
      this.#notify();
      if (this.lines.length >= this.#linesRead) break;
      await this.#mayRead;
    }
    this.#ended = true;
    this.#notify();
  }

  async #change(pattern: RegExp): Promise<void> {
    const lines = () => this.lines.join("\n");
    if (this.#ended) throw new Error(`The program ended without ${pattern}:\n${lines()}`);
    await withDeadline(this.#changed.promise, `a line like ${pattern} after:\n${lines()}`, DEADLINE_MS);
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** Flags that let a folder of the host be served on 127.0.0.1. */
export function readFlags(folder: string): string[] {
  return ["--allow-net=127.0.0.1", `--allow-read=${folder}`];
}

/** The same, with writing. */
export function writeFlags(folder: string): string[] {
  return [...readFlags(folder), `--allow-write=${folder}`];
}
