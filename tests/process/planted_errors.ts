/**
 * A program with a server in which whoever logs in can plant an error that nobody catches. Events go to stdout, one a line.
 *
 * @module
 */

import process from "node:process";
import tls from "node:tls";
import { catchUncaughtErrors, FtpServer, MemoryFileSystem, VirtualAuthorizer } from "../../mod.ts";
import type { ServerEvent } from "../../lib/events.ts";

let isAskedOutside = false;

/** What plants an error, by the name of its user. */
const PLANTS: Readonly<Record<string, () => void>> = {
  rejection: () => void Promise.reject(new Error("planted")),
  oddity: () => void Promise.reject(Object.create(null)),
  tick: () => process.nextTick(fail),
  microtask: () => queueMicrotask(fail),
  timer: () => void setTimeout(fail, 1),
  /** In the program, which is no session's. */
  outside: () => void (isAskedOutside = true),
  /** In the runtime: the next TLS engine fails where it starts. */
  engine: () => {
    const prototype = tls.TLSSocket.prototype as unknown as { _start(): void };
    const start = prototype._start;
    prototype._start = () => {
      prototype._start = start;
      fail();
    };
  },
};

function fail(): never {
  throw new Error("planted");
}

function tell(event: ServerEvent): void {
  const stack = "cause" in event && event.cause instanceof Error ? event.cause.stack : undefined;
  const line = `${JSON.stringify({ ...event, cause: undefined, stack })}\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}

class PlantingAuthorizer extends VirtualAuthorizer {
  override authenticate(
    ...args: Parameters<VirtualAuthorizer["authenticate"]>
  ): ReturnType<VirtualAuthorizer["authenticate"]> {
    const [{ username }] = args;
    if (Object.hasOwn(PLANTS, username)) PLANTS[username]?.();
    return super.authenticate(...args);
  }
}

if (import.meta.main) {
  const [mode] = Deno.args;
  const time = new Date();
  if (mode === "caught") {
    catchUncaughtErrors({ onOther: (error) => tell({ event: "internalError", time, message: `other: ${error}` }) });
  }
  setInterval(() => {
    if (!isAskedOutside) return;
    isAskedOutside = false;
    fail();
  }, 10);
  const authorizer = new PlantingAuthorizer();
  for (const name of ["bystander", ...Object.keys(PLANTS)]) {
    authorizer.addUser(name, "12345", new MemoryFileSystem(), { permissions: "elw" });
  }
  const server = new FtpServer({
    authorizer,
    listen: [{ port: 0 }],
    acceptRisks: ["plaintext-password"],
    onEvent: tell,
  });
  await server.listen();
}
