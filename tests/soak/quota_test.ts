import { assert, assertEquals } from "@std/assert";
import { startTransfer } from "../helpers/dialogue.ts";
import { QuotaServer, quotasOf } from "../helpers/quota_server.ts";
import type { RawClient } from "../helpers/raw_client.ts";

const GIB = 2 ** 30;
const UPLOADS = 50;
const PIECE = new Uint8Array(256 * 1024);
/** Of each upload; all of them are half as much again as may be. */
const PIECES = 120;

/** Uploads until it is refused, or, every fifth, is cut in the middle. */
async function upload(client: RawClient, index: number): Promise<number> {
  await using data = await startTransfer(client, `STOR ${index}`);
  const isCut = index % 5 === 0;
  for (let piece = 0; piece < (isCut ? PIECES / 2 : PIECES); piece++) {
    try {
      await data.write(PIECE);
    } catch {
      break; // the server has had enough
    }
  }
  if (isCut) {
    await client.send("ABOR\r\n");
    const { code } = await client.readReply();
    await client.readReply();
    return code;
  }
  await data.finish().catch(() => {});
  return (await client.readReply()).code;
}

for (const atomic of [false, true]) {
  Deno.test(`50 uploads at once over two event loops never exceed 1 GiB by a byte, atomic ${atomic}`, async () => {
    await using server = await QuotaServer.start({
      users: { alice: "quota: { bytes: 1GiB }" },
      more: `upload: { atomic: ${atomic} }\ntimeouts: { data: 0 }\n`,
    });
    const clients: RawClient[] = [];
    await using stack = new AsyncDisposableStack();
    for (let index = 0; index < UPLOADS; index++) clients.push(stack.use(await server.login("alice")));
    let most = 0;
    const watching = new AbortController();
    const watch = (async () => {
      while (!watching.signal.aborted) {
        most = Math.max(most, (await server.stored("alice").catch(() => ({ bytes: 0 }))).bytes);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const codes = await Promise.all(clients.map(upload));
    watching.abort();
    await watch;
    const { bytes, files } = await server.stored("alice");
    assert(Math.max(most, bytes) <= GIB, `${most} and ${bytes} bytes were stored`);
    assert(codes.every((code) => [226, 426, 552].includes(code)), codes.join(" "));
    assert(codes.includes(552));
    const [client] = clients;
    assert(client !== undefined);
    assertEquals(await quotasOf(client), [
      `user alice: ${bytes} bytes of ${GIB}, ${GIB - bytes} left`,
      `user alice: ${files} files, no limit`,
    ]);
    for (let index = 0; index < UPLOADS; index++) await client.command(`DELE ${index}`);
    assertEquals((await quotasOf(client))[0], `user alice: 0 bytes of ${GIB}, ${GIB} left`);
  });
}
