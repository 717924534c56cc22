import { assert, assertRejects } from "@std/assert";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { serve } from "../../lib/serve/serve.ts";
import { TOKEN } from "../helpers/admin_server.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

Deno.test("The admin listener speaks TLS with the server's certificate, and keeps its port when that is replaced", async () => {
  await using folder = await TemporaryFolder.create();
  const { path } = folder;
  await Deno.writeTextFile(`${path}/admin.token`, TOKEN, { mode: 0o600 });
  const install = async () => {
    const pair = await createEphemeralCertificate({ names: ["127.0.0.1"] });
    await Deno.writeTextFile(`${path}/server.crt`, pair.certificate);
    await Deno.writeTextFile(`${path}/server.key`, pair.key, { mode: 0o600 });
    return pair.certificate;
  };
  const first = await install();
  await using server = await serve({
    configuration: {
      listen: [{ port: 0 }],
      tls: { certificate: "server.crt", key: "server.key" },
      admin: { port: 0, tls: true, tokenFile: "admin.token" },
      anonymous: { home: "." },
      acceptRisks: [{ risk: "secret-in-home", reason: "a test" }],
    },
    folder: path,
  });
  const url = `https://127.0.0.1:${server.admin?.port}/api/v1`;
  const headers = { authorization: `Bearer ${TOKEN}` };
  const ask = async (certificate: string) => {
    using client = Deno.createHttpClient({ caCerts: [certificate] });
    const response = await fetch(`${url}/server`, { client, headers });
    return (await response.json()).isReady;
  };
  assert(await ask(first));
  using client = Deno.createHttpClient({ caCerts: [first] });
  const stream = await fetch(`${url}/stream`, { client, headers });
  const reader = stream.body?.getReader();
  await reader?.read();
  await server.reload(); // nothing has changed: the stream goes on
  await reader?.read();
  const second = await install();
  await server.reload();
  while (!(await reader?.read().catch(() => ({ done: true })))?.done);
  let isReady = false;
  while (!isReady) isReady = await ask(second).catch(() => false); // it is opened anew beside the reload
  await assertRejects(() => ask(first));
});
