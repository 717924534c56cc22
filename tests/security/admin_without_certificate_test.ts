import { connect } from "node:tls";
import { assertEquals, assertRejects } from "@std/assert";
import { readSettings } from "../../lib/serve/read_settings.ts";
import { Service } from "../../lib/serve/service.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { ALICE, TOKEN } from "../helpers/admin_server.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

Deno.test("The admin listener with TLS takes no token in clear while the certificate that was ordered has not come", async () => {
  await using folder = await TemporaryFolder.create();
  const { path } = folder;
  await Deno.mkdir(`${path}/home`);
  await Deno.writeTextFile(`${path}/admin.token`, TOKEN, { mode: 0o600 });
  const { certificate } = await createEphemeralCertificate({ names: ["ca.example"] });
  await Deno.writeTextFile(`${path}/ca.pem`, certificate);
  const acme = { domains: "ftp.example.org", storage: "acme", ca: "ca.pem", httpHost: "127.0.0.1", httpPort: 80 };
  const configuration = {
    listen: [{ port: 0 }],
    workers: 1,
    admin: { port: 0, tls: true, tokenFile: "admin.token" },
    users: [{ ...ALICE, home: "home" }],
    tls: { acme: { ...acme, directory: "https://127.0.0.1:9/directory" } }, // nobody is there
    acceptRisks: [{ risk: "plaintext-password", reason: "a test" }],
  };
  const read = () => readSettings({ configuration, folder: path });
  await using service = await Service.create(await read(), {
    read,
    dialogue: false,
    log: () => {},
    onEvent: () => {},
    ordering: { retry: { firstMs: 60_000, longestMs: 60_000, limitedMs: 60_000 }, firstWaitMs: 100 },
  });
  await service.listen();
  const port = service.admin?.port;
  const headers = { authorization: `Bearer ${TOKEN}` };
  await assertRejects(() => fetch(`http://127.0.0.1:${port}/api/v1/server`, { headers }), TypeError);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: "127.0.0.1", port: port ?? 0, rejectUnauthorized: false }, resolve);
  socket.once("error", reject);
  await promise;
  assertEquals(socket.getPeerX509Certificate()?.fingerprint256, service.certificate?.fingerprint);
  const closed = Promise.withResolvers<void>();
  socket.once("close", () => closed.resolve());
  socket.destroy();
  await closed.promise;
});
