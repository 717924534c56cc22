/**
 * Servers for tests whose accounts are those of a configuration, with homes in memory.
 *
 * @module
 */

import type { FileSystem } from "../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { toServerOptions } from "../../lib/server/configured_options.ts";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import { read } from "../settings/configuration_text.ts";
import type { RawClient } from "./raw_client.ts";
import { TestServer } from "./test_server.ts";

/** Homes by their folder in the configuration. */
export type Homes = Readonly<Record<string, FileSystem>>;

/** Starts a server, without TLS, for the accounts of a configuration in YAML. */
export async function startConfigured(
  text: string,
  homes: Homes,
  server: Partial<FtpServerOptions> = {},
): Promise<TestServer> {
  const openHome = (home: unknown): FileSystem => homes[String(home)] ?? new MemoryFileSystem();
  const { authorizer } = toServerOptions(read(text), {}, new Date(), { openHome });
  return await TestServer.start({ protection: "clear", server: { authorizer, ...server } });
}

/** Logs in and asks for binary transfers. */
export async function logIn(server: TestServer, name: string, password = "secret"): Promise<RawClient> {
  const client = await server.connect();
  await client.login(name, password);
  await client.expect(200, "TYPE I");
  return client;
}

/**
 * Sends a line with a data connection ready, moves what it wants moved, and returns all that came: replies, and data behind a `>`.
 *
 * @param sent Bytes of an upload.
 */
export async function answersTo(client: RawClient, line: string, sent = "brought"): Promise<string> {
  await using data = await client.passive();
  const first = await client.command(line);
  if (first.code !== 150) return first.text;
  await data.secure();
  const isUpload = /^(?:STOR|STOU|APPE)\b/.test(line);
  if (isUpload) {
    await data.write(new TextEncoder().encode(sent));
    await data.finish();
  }
  const received = isUpload ? "" : new TextDecoder().decode(await data.readAll());
  const last = await client.readReply(line);
  return `${first.text}\n${received.replaceAll(/^/gm, "> ")}\n${last.text}`;
}
