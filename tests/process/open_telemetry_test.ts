import { assert, assertEquals } from "@std/assert";
import { QUICK_HASH } from "../cli/installation.ts";
import { SpawnedServer } from "../cli/spawned_server.ts";
import { S3Server } from "../helpers/object_store/s3_server.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

/** A span as OTLP has it in JSON. */
interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

/** Takes what Deno exports, as a collector does (OTLP over HTTP with JSON). */
class Collector implements AsyncDisposable {
  readonly spans: ExportedSpan[] = [];
  readonly metrics = new Set<string>();
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const body = await request.json();
    for (const { scopeSpans } of body.resourceSpans ?? []) {
      for (const { spans } of scopeSpans) this.spans.push(...spans);
    }
    for (const { scopeMetrics } of body.resourceMetrics ?? []) {
      for (const { metrics } of scopeMetrics) for (const { name } of metrics) this.metrics.add(name);
    }
    return Response.json({});
  });

  get environment(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json", // all is exported at the end; with short intervals Deno may hang there
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

Deno.test("One trace has an upload with what the state, the store and the transfer took of it, and names no file", async () => {
  await using store = new S3Server();
  await using collector = new Collector();
  await using folder = await TemporaryFolder.create();
  const { accessKey, secretKey } = store.credentials;
  for (const [name, text] of Object.entries({ id: accessKey, secret: secretKey })) {
    await Deno.writeTextFile(`${folder.path}/${name}`, text, { mode: 0o600 });
  }
  await Deno.writeTextFile(
    `${folder.path}/ftpsd.yaml`,
    `listen: [{ port: 0 }]\nworkers: 2\n` +
      `stores: { s: { type: s3, endpoint: "${store.endpoint}", bucket: files, accessKeyFile: id, secretKeyFile: secret } }\n` +
      `acceptRisks: [{ risk: clear-text-store, reason: a test }]\n` +
      `users: [{ name: alice, password: '${QUICK_HASH}', home: { store: s, path: / }, permissions: elradfmwMT }]\n`,
  );
  const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${folder.path},${root}`];
  await using server = await SpawnedServer.start({
    flags,
    args: ["-c", `${folder.path}/ftpsd.yaml`],
    env: collector.environment,
  });
  await using client = await server.login("alice", "12345");
  await client.expect(200, "TYPE I");
  assertEquals((await client.store("/secret-name", new Uint8Array(6 * 2 ** 20))).code, 226);
  await client.command("QUIT");
  server.kill("SIGTERM");
  assertEquals((await server.exited()).code, 0);
  const { spans } = collector;
  const session = spans.find(({ name }) => name === "session");
  const ours = spans.filter(({ traceId }) => traceId === session?.traceId);
  const parentOf = (name: string) => {
    const span = ours.find((it) => it.name === name);
    return ours.find(({ spanId }) => spanId === span?.parentSpanId)?.name;
  };
  assertEquals(["PASS", "STOR", "transfer", "store PUT", "state acquireAccount"].map(parentOf), [
    "session",
    "session",
    "STOR",
    "STOR",
    "PASS",
  ]);
  for (const { startTimeUnixNano, endTimeUnixNano } of ours) {
    assert(BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano));
  }
  const attributes = ours.filter(({ name }) => !/^(?:GET|PUT|POST|DELETE|HEAD)$/.test(name)) // Deno's own spans
    .flatMap(({ attributes = [] }) => attributes.map(({ key, value }) => `${key}=${Object.values(value)[0]}`));
  assert(attributes.includes("ftp.reply=226") && attributes.includes("ftp.bytes=6291456"), `${attributes}`);
  assertEquals(attributes.filter((text) => text.includes("secret-name")), []);
  assert(
    collector.metrics.has("ftpsd.connections") && collector.metrics.has("ftpsd.sessions"),
    `${[...collector.metrics]}`,
  );
});
