/**
 * Starts and stops servers as it is told on standard input, a JSON object a line, for tests that are written in another
 * language.
 *
 * | request                                              | answer                                        |
 * | ---------------------------------------------------- | --------------------------------------------- |
 * | `{ "start": { "host", "home", "server": OPTIONS } }` | `{ "started": { "host", "port" } }`           |
 * | `{ "stop": true }`                                   | `{ "stopped": true }`                         |
 * | `{ "check": ARGUMENTS }`                             | `{ "checked": … }`: what `ftpsd check` prints |
 *
 * What fails is answered by `{ "failed": TEXT }`. Between the answers each event is a line `{ "event": NAME, … }`. One
 * server runs at a time; its accounts are those of pyftpdlib's tests: `user` with all rights, `anonymous` who may read.
 *
 * @module
 */

import { createInterface } from "node:readline";
import { stdin } from "node:process";
import { checkCommand } from "../../../lib/cli/check.ts";
import { ALL_PERMISSIONS, FtpServer, type FtpServerOptions, RISK_IDS, VirtualAuthorizer } from "../../../mod.ts";

interface StartRequest {
  /** Address to listen on, on any port. */
  readonly host: string;
  /** Folder of both accounts. */
  readonly home: string;
  /** Options in JSON, which are checked by the server. */
  readonly server: Omit<FtpServerOptions, "authorizer" | "listen" | "onEvent" | "signal">;
}

interface Request {
  readonly start?: StartRequest;
  readonly stop?: true;
  readonly check?: readonly string[];
}

let running: FtpServer | undefined;

for await (const line of createInterface({ input: stdin })) {
  try {
    write(await answer(JSON.parse(line)));
  } catch (error) {
    write({ failed: error instanceof Error ? error.message : String(error) });
  }
}
await running?.shutdown();

function answer(request: Request): unknown {
  if (request.start !== undefined) return start(request.start);
  if (request.check !== undefined) return check(request.check);
  if (request.stop === true) return stop();
  throw new TypeError(`Cannot do what is asked: ${JSON.stringify(request)}`);
}

async function start({ host, home, server: options }: StartRequest): Promise<unknown> {
  if (running !== undefined) throw new TypeError("Cannot start a server: one is running");
  const authorizer = new VirtualAuthorizer();
  authorizer.addUser("user", "12345", home, { permissions: ALL_PERMISSIONS });
  authorizer.addAnonymous(home);
  const server = new FtpServer({
    ...options,
    authorizer,
    acceptRisks: RISK_IDS,
    listen: [{ host, port: 0 }],
    onEvent: (event) => write(event),
  });
  await server.listen();
  running = server;
  return { started: { host, port: server.addresses[0]?.port } };
}

async function stop(): Promise<unknown> {
  await running?.shutdown();
  running = undefined;
  return { stopped: true };
}

async function check(args: readonly string[]): Promise<unknown> {
  const { output } = await checkCommand([...args, "--format", "json", "--print"]);
  return { checked: JSON.parse(output) };
}

function write(value: unknown): void {
  let bytes = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}
