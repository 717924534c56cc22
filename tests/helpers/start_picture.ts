/**
 * The picture of the server's start: what it really prints, with what differs from run to run made the same.
 *
 * @module
 */

import { SpawnedServer } from "../cli/spawned_server.ts";
import { colored, drawTerminal } from "./terminal_picture.ts";

const TYPED = "npx -y deno@2.9.6 task start photos";

/** What is made the same. */
const STEADY: readonly (readonly [what: RegExp, steady: string])[] = [
  [/^\[I [^\]]+\]/, "[I 2026-11-26 09:00:00]"],
  [/\b\d+ event loops/, "8 event loops"],
  [/\bpid \d+/, "pid 4242"],
  [/-USR2 \d+/, "-USR2 4242"],
  [/-HUP \d+/, "-HUP 4242"],
  [/fingerprint [0-9A-F:]+, valid to \S+/, `fingerprint ${sample(32)}, valid to 2026-12-26T09:00:00.000Z`],
  [/sha256\/\/[^']+/, "sha256//c2FtcGxlIG9mIGEgcHVibGljIGtleSdzIGhhc2gh0Zk="],
  [/verify-certificate\/[0-9A-F:]+/, `verify-certificate/${sample(20)}`],
];

/** Draws it. */
export async function makeStartPicture(): Promise<string> {
  const home = new URL("../../docs/pictures", import.meta.url).pathname;
  await using server = await SpawnedServer.start({
    flags: ["--allow-net=127.0.0.1", "--allow-read"],
    args: ["--workers", "2", home],
  });
  await server.line(/Ctrl-C stops/);
  const steady = (line: string) => STEADY.reduce((text, [what, to]) => text.replace(what, to), line);
  const port = await server.port();
  const lines = server.lines.map((line) =>
    steady(line.replaceAll(`:${port}`, ":2121").replaceAll(home, "/home/ada/photos"))
  );
  return drawTerminal({ title: "ftpsd", lines: [`$ ${TYPED}`, ...lines.map(colored)] });
}

function sample(bytes: number): string {
  return Array.from({ length: bytes }, (_, index) => (index * 37 % 256).toString(16).toUpperCase().padStart(2, "0"))
    .join(":");
}
