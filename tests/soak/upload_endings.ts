/**
 * Tests of what becomes of uploads, by how their client ends them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { ServerEvent } from "../../lib/events.ts";
import { programTest } from "../helpers/client_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

const UPLOADS = 100;
const UPLOAD_BYTES = 300_000;
const WORKERS = 3;
const CLIENT = new URL("../helpers/upload_session.py", import.meta.url).pathname;
const CONTENT = Uint8Array.from({ length: UPLOAD_BYTES }, (_, index) => index % 251);

/** How a client uploads, see the client. */
interface Uploads {
  readonly protocol: "clear" | "TLSv1.2" | "TLSv1.3";
  readonly ending: "close_notify" | "fin" | "reset" | "kill";
  readonly requireCloseNotify: boolean;
  readonly resume: boolean;
}

const COMPLETE = "226, fileReceived, whole on disk";
const UNPROVEN = "426, transferIncomplete: the upload ended without TLS close_notify, whole on disk";
const RESET = "426, transferIncomplete: the data connection was reset, a part on disk";
const KILLED = "no reply, transferIncomplete, a part on disk";

function rowsOf(protocol: Uploads["protocol"]): Uploads[] {
  if (protocol === "clear") {
    return (["fin", "reset", "kill"] as const).map((ending) => {
      return { protocol, ending, requireCloseNotify: true, resume: false };
    });
  }
  return [
    ...(["close_notify", "fin", "reset", "kill"] as const).flatMap((ending) =>
      [true, false].map((requireCloseNotify) => ({ protocol, ending, requireCloseNotify, resume: false }))
    ),
    { protocol, ending: "close_notify", requireCloseNotify: true, resume: true },
    { protocol, ending: "fin", requireCloseNotify: false, resume: true },
  ];
}

/** Makes the tests of protocols. */
export function testUploadEndings(...protocols: readonly Uploads["protocol"][]): void {
  for (const uploads of protocols.flatMap(rowsOf)) {
    const { protocol, ending, requireCloseNotify, resume } = uploads;
    const expected = expectation(uploads);
    const setting = protocol === "clear" ? "" : `, requireCloseNotify ${requireCloseNotify}`;
    Deno.test(programTest({
      program: "python3",
      name: `STOR over ${protocol}${resume ? ", resumed" : ""}, ended by "${ending}"${setting}: ` +
        `${UPLOADS} times ${expected}`,
      fn: async () => assertEquals(await countResults(uploads), { [expected]: UPLOADS }),
    }));
  }
}

function expectation({ protocol, ending, requireCloseNotify }: Uploads): string {
  switch (ending) {
    case "close_notify":
      return COMPLETE;
    case "fin":
      return protocol !== "clear" && requireCloseNotify ? UNPROVEN : COMPLETE;
    case "reset":
      return RESET;
    case "kill":
      return KILLED;
  }
}

/** Lets the client upload, and counts what became of its files by what they have in common. */
async function countResults(uploads: Uploads): Promise<Readonly<Record<string, number>>> {
  await using folder = await TemporaryFolder.create();
  const { protocol, requireCloseNotify, resume } = uploads;
  await using server = await TestServer.start({
    home: folder.path,
    protection: protocol === "clear" ? "clear" : "explicit",
    server: { tls: { requireCloseNotify } },
  });
  const lines = await runClient(server.port, uploads);
  const count = (event: ServerEvent["event"]) => server.events.filter((it) => it.event === event).length;
  await server.event("disconnected", () => count("disconnected") === count("connected"));
  const results: Record<string, number> = {};
  for (const [name = "", code = "", resumed] of lines.map((line) => line.split(" "))) {
    const content = await contentOf(`${folder.path}/${name}`);
    const told = bytesTold(server, `/${name}`);
    const result = [
      code === "0" ? "no reply" : code,
      endsOf(server, `/${name}`, code === "0"),
      `${sizeOf(content)} on disk`,
      ...told === content.length ? [] : [`${told} bytes told, ${content.length} on disk`],
      ...(resumed === "True") === resume ? [] : [`resumed ${resumed}`],
    ].join(", ");
    results[result] = (results[result] ?? 0) + 1;
  }
  return results;
}

/** A file of which no byte has come is not there; that it had more is seen by what was told of it. */
async function contentOf(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Uint8Array(0);
    throw error;
  }
}

async function runClient(port: number, { protocol, ending, resume }: Uploads): Promise<readonly string[]> {
  const args = [CLIENT, port, protocol, ending, UPLOADS, UPLOAD_BYTES, WORKERS, resume ? "resume" : "once"].map(String);
  const { stdout, stderr } = await new Deno.Command("python3", { args }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout).trim().split("\n");
}

/** The ends that were told of a file; the reason only where it does not depend on which connection was lost first. */
function endsOf(server: TestServer, path: string, withoutReason: boolean): string {
  return server.events.flatMap((event) => {
    if (!("path" in event) || event.path !== path || event.event === "transferStarted") return [];
    return "reason" in event && !(withoutReason && event.reason !== "")
      ? `${event.event}: ${event.reason}`
      : event.event;
  }).join(", ");
}

/** The bytes that the end of a file's upload was told with. */
function bytesTold(server: TestServer, path: string): number | undefined {
  const end = server.events.find((event) => "bytes" in event && event.path === path);
  return end && "bytes" in end ? end.bytes : undefined;
}

function sizeOf(bytes: Uint8Array): string {
  const isExact = bytes.every((byte, index) => byte === CONTENT[index]);
  if (!isExact) return "damaged";
  if (bytes.length === UPLOAD_BYTES) return "whole";
  return bytes.length <= UPLOAD_BYTES / 2 ? "a part" : "more than was sent";
}

Deno.test("STOR replies 426 to a client that ends its side of the control connection meanwhile", async () => {
  await using server = await TestServer.start({ protection: "clear" });
  using control = await Deno.connect({ hostname: server.host, port: server.port });
  let heard = "";
  const hear = async (wanted: string) => {
    const buffer = new Uint8Array(1024);
    for (let count = 0; !heard.includes(wanted); heard += new TextDecoder().decode(buffer.subarray(0, count))) {
      const read = await control.read(buffer);
      if (read === null) throw new Error(`The connection ended before "${wanted}": ${heard}`);
      count = read;
    }
  };
  await control.write(new TextEncoder().encode(`USER ${USER.name}\r\nPASS ${USER.password}\r\nEPSV\r\n`));
  await hear("|)");
  using data = await Deno.connect({ hostname: server.host, port: Number(/\|\|\|(\d+)\|/.exec(heard)?.[1]) });
  await control.write(new TextEncoder().encode("STOR /file\r\n"));
  await hear("150 ");
  await data.write(CONTENT.subarray(0, 1000));
  await control.closeWrite();
  await hear("\r\n426 ");
  const { reason } = await server.event("transferIncomplete");
  assertEquals(reason, "the control connection was closed");
});
