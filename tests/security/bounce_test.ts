import { assertEquals } from "@std/assert";
import { assertDialogue } from "../helpers/dialogue.ts";
import { TestServer } from "../helpers/test_server.ts";

/** Arguments that name the same target for PORT and for EPRT. */
function targetCommands(host: string, port: number): readonly string[] {
  return [`PORT ${host.replaceAll(".", ",")},${port >> 8},${port & 255}`, `EPRT |1|${host}|${port}|`];
}

/** A port of the client that must stay alone. */
class Target implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Connects itself, and sees to it that nobody was first. */
  async assertUntouched(): Promise<void> {
    using own = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    using first = await this.#listener.accept();
    assertEquals(first.remoteAddr, own.localAddr);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

Deno.test("PORT and EPRT are off by default, and the server dials nobody", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  using target = new Target();
  for (const command of targetCommands("127.0.0.1", target.port)) {
    await assertDialogue(client, [[command, "502 Active mode is off, use PASV or EPSV."]]);
    assertEquals((await client.command("LIST")).code, 425);
  }
  await target.assertUntouched();
});

const FOREIGN_HOSTS = ["127.0.0.2", "10.0.0.1", "0.0.0.0", "255.255.255.255", "169.254.169.254"];

for (const host of FOREIGN_HOSTS) {
  Deno.test(`PORT and EPRT refuse the foreign address ${host}`, async () => {
    await using server = await TestServer.start({ server: { active: { enabled: true } } });
    await using client = await server.login();
    for (const command of targetCommands(host, 50_000)) {
      await assertDialogue(client, [
        [command, `501 Rejected data connection to foreign address ${host}:50000.`],
        ["LIST", /^425 /],
      ]);
    }
  });
}

for (const port of [1, 21, 25, 1023]) {
  Deno.test(`PORT and EPRT refuse the privileged port ${port}`, async () => {
    await using server = await TestServer.start({ server: { active: { enabled: true } } });
    await using client = await server.login();
    for (const command of targetCommands("127.0.0.1", port)) {
      const [verb] = command.split(" ");
      await assertDialogue(client, [[command, `501 ${verb} against the privileged port "${port}" refused.`]]);
    }
  });
}

Deno.test("EPRT refuses foreign and privileged targets in IPv6 as well", async () => {
  await using server = await TestServer.start({ host: "::1", server: { active: { enabled: true } } });
  await using client = await server.login();
  await assertDialogue(client, [
    ["EPRT |2|::2|50000|", "501 Rejected data connection to foreign address [::2]:50000."],
    ["EPRT |2|::ffff:127.0.0.1|50000|", /^501 /],
    ["EPRT |2|0:0:0:0:0:0:0:1|80|", '501 EPRT against the privileged port "80" refused.'],
    ["EPRT |1|127.0.0.1|50000|", /^522 /],
    ["PORT 127,0,0,1,195,80", /^501 /],
  ]);
});

Deno.test("PORT dials the client itself where active mode is on", async () => {
  await using server = await TestServer.start({ protection: "clear", server: { active: { enabled: true } } });
  await using client = await server.login();
  for (const index of [0, 1]) {
    using target = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = target.accept();
    await client.expect(200, targetCommands("127.0.0.1", target.addr.port)[index] ?? "");
    using connection = await accepted;
    assertEquals(connection.remoteAddr.hostname, "127.0.0.1");
    await client.expect(150, "NLST");
    assertEquals(await connection.read(new Uint8Array(1)), null);
    assertEquals((await client.readReply("NLST")).code, 226);
  }
});
