/**
 * A thread that connects to the ports that it is told in shared memory, and stays connected.
 *
 * @module
 */

const ASKED = 0;
const CONNECTED = 1;
const connections: Deno.TcpConn[] = [];

const scope = globalThis as unknown as { onmessage: (event: MessageEvent<Int32Array>) => Promise<never> };

scope.onmessage = async ({ data: flags }) => {
  for (;;) {
    Atomics.wait(flags, ASKED, 0);
    const port = Atomics.exchange(flags, ASKED, 0);
    try {
      connections.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    } catch {
      // Nobody listens there any more
    }
    Atomics.add(flags, CONNECTED, 1);
    Atomics.notify(flags, CONNECTED);
  }
};
