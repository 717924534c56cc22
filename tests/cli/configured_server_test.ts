import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ConfiguredServer } from "../../lib/cli/configured_server.ts";
import { readConfiguration } from "../../lib/config/read_configuration.ts";
import type { ServerEvent } from "../../lib/events.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

/** A server whose other event loops cannot start. */
async function createLame(
  home: string,
  options: { readonly mayServeAlone: boolean; readonly events?: ServerEvent[] },
): Promise<ConfiguredServer> {
  const text = `listen: [{ port: 0 }]\nanonymous: { home: '${home}' }\n`;
  const configuration = readConfiguration(text, { file: "ftpsd.yaml", resolve: (path) => path });
  const { mayServeAlone, events = [] } = options;
  const workerProgram = new URL("data:application/javascript,throw new Error('no')");
  return await ConfiguredServer.create({ configuration, files: {} }, {
    ...{ workers: 3, mayServeAlone, workerProgram, dialogue: false },
    onEvent: (event) => events.push(event),
  });
}

Deno.test("ConfiguredServer serves alone when no other event loop can start, and tells it", async () => {
  await using folder = await TemporaryFolder.create();
  const events: ServerEvent[] = [];
  const server = await createLame(folder.path, { mayServeAlone: true, events });
  await server.listen();
  const told = events.find(({ event }) => event === "internalError");
  assertMatch(
    told?.event === "internalError" ? told.message : "",
    /^Only one event loop serves\. A worker has failed: /,
  );
  assertEquals(server.workers, 1);
  await using client = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
  assertEquals((await client.readReply()).code, 220);
  await server.shutdown();
  await server.finished;
});

Deno.test("ConfiguredServer does not start without the event loops that were asked for", async () => {
  await using folder = await TemporaryFolder.create();
  const server = await createLame(folder.path, { mayServeAlone: false });
  await assertRejects(() => server.listen(), Error, "A worker has failed");
  await server.shutdown();
});
