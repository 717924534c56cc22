import { assertEquals } from "@std/assert";
import { countWorkers } from "../../lib/serve/service.ts";
import { read, SOMEBODY } from "../settings/configuration_text.ts";

const HOST = { processors: 4, mayReadProgram: true, dealsConnections: true };
const FEW: Partial<typeof HOST> = { mayReadProgram: false };

Deno.test("countWorkers() takes a processor each, where the program can be read and the system deals connections out", () => {
  const count = (text: string, host = HOST) => countWorkers(read(`${text}\n${SOMEBODY}`), host);
  assertEquals(count(""), 4);
  assertEquals(count("", { ...HOST, processors: 64 }), 8);
  assertEquals(count("", { ...HOST, ...FEW }), 1);
  assertEquals(count("", { ...HOST, dealsConnections: false }), 1);
  assertEquals(count("workers: 3"), 3);
});

Deno.test("countWorkers() serves in one event loop where sessions have to be resumed", () => {
  for (const workers of ["auto", "2"]) {
    const configuration = read(`tls: { sessionReuse: require }\nworkers: ${workers}\n${SOMEBODY}`);
    assertEquals(countWorkers(configuration, HOST), 1);
  }
});
