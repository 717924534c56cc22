import { assert, assertEquals, assertMatch } from "@std/assert";
import { serve } from "../../lib/serve/serve.ts";
import { programTest } from "../helpers/client_program.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const PASSWORD = "correct horse";
const CLIENTS = 12;

/** A server with metrics, in two event loops. */
async function start(home: string) {
  const server = await serve({
    configuration: {
      listen: [{ port: 0 }],
      workers: 2,
      metrics: { port: 0 },
      users: [{ name: "alice", password: PASSWORD, home, permissions: "elradfmwMT" }],
      acceptRisks: [{ risk: "plaintext-password", reason: "a test" }],
    },
  });
  const url = `http://127.0.0.1:${server.metrics?.port}`;
  return { server, url, port: server.addresses[0]?.port ?? 0 };
}

/** The samples of a text by their names and labels. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

Deno.test("The metrics are what clients have done, over two event loops", async () => {
  await using folder = await TemporaryFolder.create();
  const { server, url, port } = await start(folder.path);
  await using _server = server;
  const read = async () => samplesOf(await (await fetch(`${url}/metrics`)).text());
  for (let count = 0; count < CLIENTS; count++) {
    await using client = await RawClient.connect({ host: "127.0.0.1", port });
    await client.readReply();
    await client.startTls();
    if (count === 0) await client.expect(331, "USER alice").then(() => client.expect(530, "PASS wrong"));
    await client.login("alice", PASSWORD);
    await client.expect(200, "TYPE I");
    await client.store("/file", new Uint8Array(1000 + count));
    assertEquals((await client.retrieve("/file")).length, 1000 + count);
    await client.expect(550, "SIZE /missing");
    assertEquals((await read()).get("ftpsd_sessions"), 1);
    await client.expect(221, "QUIT");
  }
  while ((await read()).get("ftpsd_sessions") !== 0);
  const samples = await read();
  const bytes = CLIENTS * 1000 + CLIENTS * (CLIENTS - 1) / 2;
  const expected = {
    "ftpsd_connections_total": CLIENTS,
    'ftpsd_logins_total{result="failed"}': 1,
    'ftpsd_logins_total{result="succeeded"}': CLIENTS,
    'ftpsd_transfers_total{direction="receive",result="complete"}': CLIENTS,
    'ftpsd_transfers_total{direction="send",result="complete"}': CLIENTS,
    'ftpsd_transferred_bytes_total{direction="receive"}': bytes,
    'ftpsd_transferred_bytes_total{direction="send"}': bytes,
    'ftpsd_commands_refused_total{code="550"}': CLIENTS,
    'ftpsd_command_seconds_count{command="STOR"}': CLIENTS,
    'ftpsd_transfer_seconds_count{direction="send"}': CLIENTS,
    'ftpsd_transfers_running{direction="send"}': 0,
    'ftpsd_state_call_seconds_count{call="acquireConnection"}': CLIENTS,
    "ftpsd_internal_errors_total": 0,
    "ftpsd_event_loops": 2,
  };
  assertEquals(Object.fromEntries(Object.keys(expected).map((name) => [name, samples.get(name)])), expected);
  const text = [...samples.keys()].join("\n");
  for (const name of ["alice", "127.0.0.1", "/file"]) assert(!text.includes(name), name);
});

Deno.test("Health is told without a password, and a server that stops is not ready", async () => {
  await using folder = await TemporaryFolder.create();
  const { server, url, port } = await start(folder.path);
  await using _server = server;
  const ask = async (path: string, method = "GET") => {
    const response = await fetch(`${url}${path}`, { method });
    return [response.status, await response.text()];
  };
  assertEquals(await ask("/healthz"), [200, "ok\n"]);
  assertEquals(await ask("/readyz"), [200, "ready\n"]);
  assertEquals(await ask("/metrics", "POST"), [405, "Method not allowed\n"]);
  assertEquals(await ask("/api/v1/sessions"), [404, "Not found\n"]);
  await using client = await RawClient.connect({ host: "127.0.0.1", port });
  await client.readReply();
  const stopped = server.shutdown({ drainMs: 60_000 });
  assertEquals(await ask("/readyz"), [503, "stopping\n"]);
  assertEquals(await ask("/healthz"), [200, "ok\n"]);
  await server.shutdown();
  await stopped;
});

Deno.test(programTest({
  program: "promtool",
  name: "promtool finds nothing to mend in the metrics",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const { server, url, port } = await start(folder.path);
    await using _server = server;
    await using client = await RawClient.connect({ host: "127.0.0.1", port });
    await client.readReply();
    await client.expect(200, "NOOP");
    await client.expect(221, "QUIT"); // now the one before has been counted
    const text = await (await fetch(`${url}/metrics`)).bytes();
    const child = new Deno.Command("promtool", { args: ["check", "metrics"], stdin: "piped", stderr: "piped" }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(text);
    await writer.close();
    const { code, stderr } = await child.output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    assertMatch(new TextDecoder().decode(text), /ftpsd_command_seconds_bucket\{command="NOOP"/);
  },
}));
