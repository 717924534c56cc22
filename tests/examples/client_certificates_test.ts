import { assertEquals, assertRejects } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { issue } from "../transport/client_pki.ts";
import { ExampleProgram, textOf } from "./example_program.ts";

Deno.test("client_certificates.ts lets a client in that shows a certificate of the CA", async () => {
  await using folder = await TemporaryFolder.create();
  const ca = await issue("our CA", { isAuthority: true });
  const { certificate: cert, key } = await issue("scanner 1", { issuer: ca });
  await Deno.writeTextFile(`${folder.path}/ca.crt`, ca.certificate);
  await using example = await ExampleProgram.start("client_certificates", { cwd: folder.path });
  await using client = await example.connect({ tlsOptions: { cert, key } });
  await client.login("scanner", "12345");
  await client.store("/page.pdf", new TextEncoder().encode("page"));
  assertEquals(new TextDecoder().decode(await client.retrieve("/page.pdf")), "page");
  await example.line(/^127\.0\.0\.1:\d+ has shown CN=scanner 1$/);
  await example.stop();
});

Deno.test("client_certificates.ts refuses a client without a certificate, and one of another CA", async () => {
  await using folder = await TemporaryFolder.create();
  const ca = await issue("our CA", { isAuthority: true });
  const other = await issue("scanner 1", { issuer: await issue("our CA", { isAuthority: true }) });
  await Deno.writeTextFile(`${folder.path}/ca.crt`, ca.certificate);
  await using example = await ExampleProgram.start("client_certificates", { cwd: folder.path });
  for (const tlsOptions of [{}, { cert: other.certificate, key: other.key }]) {
    await assertRejects(async () => {
      // In TLS 1.3 the client learns of the refusal only when it reads.
      await using client = await example.connect({ tlsOptions });
      await client.command("NOOP");
    });
  }
  await example.line(/ has left: /, 1);
  assertEquals(example.lines.filter((line) => line.includes("has shown")), []);
  await example.stop();
});

Deno.test(programTest({
  program: "openssl",
  name: "client_certificates.ts takes the certificates that its header makes by openssl",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const commands = [...(await textOf("client_certificates")).matchAll(/^ \* (openssl .+)$/gm)].map(([, line]) =>
      line
    );
    assertEquals(commands.length, 2);
    await requireProgram("sh", ["-ec", `cd "$0"; ${commands.join("; ")}`, folder.path]);
    await using example = await ExampleProgram.start("client_certificates", { cwd: folder.path });
    const [cert, key] = await Promise.all(
      ["scanner.crt", "scanner.key"].map((name) => Deno.readTextFile(`${folder.path}/${name}`)),
    ) as [string, string];
    await using client = await example.connect({ tlsOptions: { cert, key } });
    await client.login("scanner", "12345");
    await example.stop();
  },
}));
