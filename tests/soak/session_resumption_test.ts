import { assertEquals } from "@std/assert";
import type { Connection, DataListener } from "../../lib/transport/connection.ts";
import { listenControl } from "../../lib/transport/node_control.ts";
import { NodeTlsTransport } from "../../lib/transport/node_tls.ts";
import { TlsContext } from "../../lib/transport/tls_context.ts";
import { programTest } from "../helpers/client_program.ts";
import { PAIR } from "../transport/tls_pairs.ts";

const CLIENT = new URL("../helpers/session_client.py", import.meta.url).pathname;
const ANY_PORT = { host: "127.0.0.1", port: 0 };
const FILE = new Uint8Array(200_000);

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  Deno.test(programTest({
    program: "python3",
    name: `50 data connections in a row resume the ${version} session of the control connection`,
    fn: async () => {
      const { resumedHere, client } = await runSession(version, { count: 50, reuse: true });
      assertEquals(client, "50 50\n");
      assertEquals(resumedHere, 50);
    },
  }));

  Deno.test(programTest({
    program: "python3",
    name: `Python's unwrap() succeeds on 200 of 200 ${version} data connections, and none is told as resumed`,
    fn: async () => {
      const { resumedHere, client } = await runSession(version, { count: 200, reuse: false });
      assertEquals(client, "0 200\n");
      assertEquals(resumedHere, 0);
    },
  }));
}

async function runSession(
  version: "TLSv1.2" | "TLSv1.3",
  options: { readonly count: number; readonly reuse: boolean },
): Promise<{ readonly resumedHere: number; readonly client: string }> {
  const context = new TlsContext({ ...PAIR, minVersion: version, maxVersion: version });
  await using transport = new NodeTlsTransport(context);
  const controls = await listenControl(ANY_PORT, { context });
  const listener = await transport.listen(ANY_PORT);
  const running = new Deno.Command("python3", {
    args: [CLIENT, "127.0.0.1", `${controls.address.port}`, `${listener.address.port}`, version, `${options.count}`]
      .concat(options.reuse ? ["reuse"] : []),
  }).output();
  const control = await (await controls.accept()).startTls();
  await control.write(new TextEncoder().encode("220 ready\r\n"));
  let resumedHere = 0;
  for (let i = 0; i < options.count; i++) {
    const connection = await transfer(listener, i % 2 === 0 ? "send" : "receive");
    if (connection.tls?.resumed) resumedHere++;
  }
  const { stdout, stderr } = await running;
  control.close();
  controls.close();
  listener.close();
  const decoder = new TextDecoder();
  assertEquals(decoder.decode(stderr), "");
  return { resumedHere, client: decoder.decode(stdout) };
}

async function transfer(listener: DataListener, direction: "send" | "receive"): Promise<Connection> {
  const connection = await (await listener.accept()).open(direction);
  if (direction === "send") await connection.write(FILE);
  else while (await connection.read() !== null);
  await connection.finish();
  connection.close();
  return connection;
}
