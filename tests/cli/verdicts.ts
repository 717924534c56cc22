/**
 * Configurations and command lines, good and bad, and how each is judged: by `ftpsd check`, at the start, at a reload, and
 * where it is about options alone by the library. They have to agree.
 *
 * @module
 */

import { checkCommand } from "../../lib/cli/check.ts";
import { parseArguments } from "../../lib/cli/option_table.ts";
import { ExitError } from "../../lib/check/exit_error.ts";
import { serve } from "../../lib/cli/serve.ts";
import type { SignalActions } from "../../lib/cli/signals.ts";
import { ConfigurationError } from "../../lib/settings/finding.ts";
import { FtpServer } from "../../lib/server/ftp_server.ts";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import { RISK_IDS } from "../../lib/settings/risks.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { RawClient } from "../helpers/raw_client.ts";
import type { Installation } from "./installation.ts";

/** How something is judged: what the status would be, or why it is refused. */
export type Verdict = "starts" | { readonly status: number; readonly reason: string };

/** Tests have all permissions, which is a risk that is not theirs to judge. */
const ALWAYS = ["--workers", "1", "--accept-risk", "excess-permissions"];

/** What `ftpsd check` says. */
export async function checkVerdict(args: readonly string[]): Promise<Verdict> {
  try {
    const { isClean, output } = await checkCommand([...args, ...ALWAYS]);
    return isClean ? "starts" : { status: 2, reason: output };
  } catch (error) {
    return verdictOf(error);
  }
}

/** A server that runs in this process as `ftpsd serve` would. */
export class RunningServer implements AsyncDisposable {
  /** What it has logged. */
  readonly lines: string[] = [];
  readonly #ended: Promise<void>;
  readonly #listening = Promise.withResolvers<void>();
  #actions: SignalActions | undefined;
  #port = 0;

  private constructor(args: readonly string[]) {
    const write = (line: string) => {
      this.lines.push(line);
      const [, port] = />>> starting .*:(\d+) <<</.exec(line) ?? [];
      if (port === undefined) return;
      this.#port = Number(port);
      this.#listening.resolve();
    };
    const signals = {
      act: (actions: SignalActions) => {
        this.#actions = actions;
      },
    };
    this.#ended = this.#serve(args, { write, isColored: false }, signals);
    this.#ended.catch((error) => this.#listening.reject(error));
  }

  /** Starts it. Rejects as `serve()` when it does not start. */
  static async start(args: readonly string[]): Promise<RunningServer> {
    const server = new RunningServer(args);
    await server.#listening.promise;
    return server;
  }

  async #serve(
    args: readonly string[],
    output: Parameters<typeof serve>[1],
    signals: Parameters<typeof serve>[2]["signals"],
  ): Promise<void> {
    await serve(parseArguments([...args, ...ALWAYS]), output, { signals, watchIntervalMs: 1_000_000 });
  }

  /** Reads the configuration again; returns what the log says then. */
  async reload(): Promise<readonly string[]> {
    const before = this.lines.length;
    await this.#actions?.reload();
    return this.lines.slice(before);
  }

  /** Connects, and returns the client with the greeting it got. */
  async connect(): Promise<{ readonly client: RawClient; readonly greeting: string }> {
    const client = await RawClient.connect({ host: "127.0.0.1", port: this.#port });
    return { client, greeting: (await client.readReply()).text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#actions?.stop("SIGTERM");
    await this.#ended;
  }
}

/** What a start comes to. */
export async function startVerdict(args: readonly string[]): Promise<Verdict> {
  try {
    await using _server = await RunningServer.start(args);
    return "starts";
  } catch (error) {
    return verdictOf(error);
  }
}

/** What a reload comes to, of a server that was started with a sound file. What it refuses must change nothing. */
export async function reloadVerdict(
  installation: Installation,
  files: { readonly before: string; readonly after: string; readonly args: readonly string[] },
): Promise<Verdict> {
  await installation.configure(`banner: Before.\n${files.before}`);
  await using server = await RunningServer.start(files.args);
  await installation.configure(`banner: After.\n${files.after}`);
  const lines = await server.reload();
  const kept = lines.filter((line) => line.includes("reload failed, keeping the current configuration: "));
  const { client, greeting } = await server.connect();
  await using _client = client;
  const wanted = kept.length === 0 ? "220 After." : "220 Before.";
  if (greeting !== wanted) throw new Error(`The greeting is "${greeting}", after:\n${lines.join("\n")}`);
  return kept.length === 0 ? "starts" : { status: 2, reason: kept.join("\n") };
}

/** What the library says of the same options. */
export async function libraryVerdict(options: Partial<FtpServerOptions>): Promise<Verdict> {
  try {
    const listen = [{ host: "127.0.0.1", port: 0 }];
    await using server = new FtpServer({
      authorizer: new VirtualAuthorizer(),
      acceptRisks: RISK_IDS,
      listen,
      ...options,
    });
    await server.listen();
    return "starts";
  } catch (error) {
    return { status: 2, reason: String(error) };
  }
}

function verdictOf(error: unknown): Verdict {
  if (error instanceof ConfigurationError) return { status: 2, reason: error.message };
  if (error instanceof ExitError) return { status: error.status, reason: error.message };
  throw error;
}
