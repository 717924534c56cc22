import { assert, assertEquals, assertMatch } from "@std/assert";
import { serve } from "../../lib/serve/serve.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const PASSWORD = "correct horse";

for (const how of ["removes", "disables"]) {
  Deno.test(`A reload that ${how} an account ends its sessions in all event loops, and no others`, async () => {
    await using folder = await TemporaryFolder.create();
    const user = (name: string) => ({ name, password: PASSWORD, home: "." });
    const settings = (users: readonly unknown[], anonymous?: { readonly home: string }) => ({
      configuration: {
        listen: [{ port: 0 }],
        workers: 2,
        users,
        ...anonymous && { anonymous },
        acceptRisks: [{ risk: "plaintext-password", reason: "a test" }],
      },
      folder: folder.path,
    });
    let current = settings([user("alice"), user("bob")], { home: "." });
    const remarks: string[] = [];
    await using server = await serve(() => current, { onRemark: ({ text }) => void remarks.push(text) });
    await using clients = new AsyncDisposableStack();
    const login = async (name: string) => {
      const client = clients.use(
        await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 }),
      );
      await client.readReply();
      await client.startTls();
      await client.login(name, PASSWORD);
      return client;
    };
    const alices = [await login("alice"), await login("alice"), await login("alice"), await login("alice")];
    const others = [await login("bob"), await login("ftp")];
    current = settings([user("bob"), ...how === "removes" ? [] : [{ ...user("alice"), enabled: false }]], {
      home: ".",
    });
    await server.reload();
    for (const alice of alices) assertEquals((await alice.readReply()).code, 421);
    for (const other of others) await other.expect(200, "NOOP");
    assert(remarks.some((text) => text === 'ended 4 sessions: the account "alice" is no more'), remarks.join("\n"));
    const [bob, anonymous] = others;
    current = settings([user("bob")]);
    await server.reload();
    assertMatch((await anonymous?.readReply())?.text ?? "", /^421 /);
    await bob?.expect(200, "NOOP");
  });
}
