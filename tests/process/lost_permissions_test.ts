import { assertEquals, assertStrictEquals } from "@std/assert";
import { denoArguments, SpawnedServer, writeFlags } from "../cli/spawned_server.ts";
import { programTest } from "../helpers/client_program.ts";
import { startTransfer } from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { USER } from "../helpers/test_server.ts";

const OLD = new TextEncoder().encode("old content");
const CONTENT = new TextEncoder().encode("content");

Deno.test(programTest({
  program: "setpriv",
  name: "STOR, atomic, gets 550 where the right to change the folder was lost, and the old file stays",
  fn: async () => {
    await using scene = await UnprivilegedScene.create({ atomic: true });
    const { client, home, server } = scene;
    await using data = await startTransfer(client, "STOR file");
    await data.write(CONTENT);
    await Deno.chmod(home, 0o555);
    await data.finish();
    assertEquals((await client.readReply("STOR")).text, "550 Permission denied.");
    await server.line(/"transferIncomplete".*"bytes":7,.*"reason":".*denied/);
    assertEquals(await client.list("NLST"), "file\r\n");
    assertEquals(await client.retrieve("file"), OLD);
    await Deno.chmod(home, 0o755);
    await client.store("file", CONTENT);
    assertEquals(await client.retrieve("file"), CONTENT);
  },
}));

Deno.test(programTest({
  program: "setpriv",
  name: "STOR gets 226 for a whole file that nobody may open any more",
  fn: async () => {
    await using scene = await UnprivilegedScene.create({ atomic: false });
    const { client, home } = scene;
    await using data = await startTransfer(client, "STOR file");
    await Deno.chmod(`${home}/file`, 0o000);
    await Deno.chmod(home, 0o555);
    await data.write(CONTENT);
    await data.finish();
    assertStrictEquals((await client.readReply("STOR")).code, 226);
    await client.expect(550, "RETR file");
    await Deno.chmod(`${home}/file`, 0o644);
    assertEquals(await Deno.readFile(`${home}/file`), CONTENT);
  },
}));

/** A server whose process obeys the permissions of files, also where the tests are run by root. */
class UnprivilegedScene implements AsyncDisposable {
  readonly home: string;
  readonly server: SpawnedServer;
  readonly client: RawClient;
  readonly #resources: AsyncDisposableStack;

  private constructor(home: string, server: SpawnedServer, client: RawClient, resources: AsyncDisposableStack) {
    this.home = home;
    this.server = server;
    this.client = client;
    this.#resources = resources;
  }

  static async create({ atomic }: { readonly atomic: boolean }): Promise<UnprivilegedScene> {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await TemporaryFolder.create());
    const home = `${path}/home`;
    await Deno.mkdir(home, { mode: 0o755 });
    await Deno.writeFile(`${home}/file`, OLD);
    const configuration = [
      "listen: [{ port: 0 }]",
      "log: { format: json }",
      `upload: { atomic: ${atomic} }`,
      `users: [{ name: ${USER.name}, password: "${USER.password}", home: home, permissions: elradfmwMT }]`,
      "acceptRisks: [{ risk: plaintext-password, reason: it is known to the test }]",
    ];
    await Deno.writeTextFile(`${path}/ftpsd.yaml`, configuration.join("\n"));
    const program = denoArguments({ flags: writeFlags(path), args: ["--config", `${path}/ftpsd.yaml`] });
    const server = stack.use(
      await SpawnedServer.start({
        executable: "setpriv",
        hasOwnPorts: true,
        flags: [],
        args: ["--bounding-set=-all", "--inh-caps=-all", "--", Deno.execPath(), ...program],
      }),
    );
    const client = stack.use(await server.login(USER.name, USER.password));
    await client.expect(200, "TYPE I");
    return new UnprivilegedScene(home, server, client, stack.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.chmod(this.home, 0o755);
    await this.#resources.disposeAsync();
  }
}
