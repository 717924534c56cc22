/**
 * A listener of the admin part that writes its port to stdout, and "starved" when it has found no descriptor.
 *
 * @module
 */

import { HttpListener } from "../../lib/admin/http_listener.ts";

// As every server does: the runtime prepares for signals once, and panics where no descriptor is left for that.
Deno.addSignalListener("SIGUSR2", () => {});

const encoder = new TextEncoder();
let hasStarved = false;
const listener = HttpListener.listen({ host: "127.0.0.1", port: 0 }, {
  answer: () => new Response("here"),
  maxConnections: 1_000,
  onFailure: () => {
    if (!hasStarved) Deno.stdout.writeSync(encoder.encode("starved\n"));
    hasStarved = true;
  },
});
Deno.stdout.writeSync(encoder.encode(`${listener.port}\n`));
