import { assertEquals } from "@std/assert";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

Deno.test("explicit_and_implicit.ts serves the same by both ways to start TLS, with one certificate", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await ExampleProgram.start("explicit_and_implicit", { cwd: folder.path });
  const [, fingerprint] = await example.line(/^Certificate: SHA-256 (.+)$/);
  for (const options of [{ index: 0 }, { index: 1, tls: "implicit" }] as const) {
    await using client = await example.connect(options);
    await client.login();
    await client.expect(200, "TYPE I");
    assertEquals(client.tls?.getPeerCertificate().fingerprint256, fingerprint);
    assertEquals(new TextDecoder().decode(await client.retrieve("hello.txt")), "Hello.\n");
  }
  await example.line(/^Listening on 127\.0\.0\.1:\d+, TLS implicit$/);
  await example.stop();
});

Deno.test("explicit_and_implicit.ts uses the certificate that it is given", async () => {
  await using folder = await TemporaryFolder.create();
  const pair = await createEphemeralCertificate({ names: ["127.0.0.1"] });
  await Deno.writeTextFile(`${folder.path}/certificate.pem`, pair.certificate);
  await Deno.writeTextFile(`${folder.path}/key.pem`, pair.key);
  await using example = await ExampleProgram.start("explicit_and_implicit", {
    cwd: folder.path,
    flags: ["--allow-read=certificate.pem,key.pem"],
    args: ["certificate.pem", "key.pem"],
  });
  await using client = await example.connect({ caCert: pair.certificate });
  await client.login();
  await example.stop();
});
