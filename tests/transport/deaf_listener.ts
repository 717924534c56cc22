/**
 * A listener that writes its port to stdout, and greets each client. Arguments: `renewAfterMs`, and
 * `sharing` where it is shared.
 *
 * @module
 */

import { listenControl } from "../../lib/transport/node_control.ts";

// As every server does: the runtime prepares for signals once, and panics where no descriptor is left for that.
Deno.addSignalListener("SIGUSR2", () => {});

const [renewAfterMs, sharing] = Deno.args;
const listener = await listenControl({ host: "127.0.0.1", port: 0 }, {
  renewAfterMs: Number(renewAfterMs),
  ...sharing === "begins" ? { sharing } : {},
});
await Deno.stdout.write(new TextEncoder().encode(`${listener.address.port}\n`));
while (true) {
  const transport = await listener.accept();
  await transport.write(new TextEncoder().encode("220\r\n"));
  transport.read().catch(() => {}).finally(() => transport.close());
}
