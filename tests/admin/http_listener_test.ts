import { assertEquals } from "@std/assert";

const PROGRAM = new URL("starved_http_listener.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

Deno.test({
  name: "HttpListener answers again after it has found no file descriptor left",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const process = new Deno.Command("sh", {
      args: [
        "-c",
        'ulimit -n 60; exec "$0" run --no-check --no-prompt --config "$1" --allow-net=127.0.0.1 "$2"',
        ...[Deno.execPath(), CONFIG, PROGRAM],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const port = Number((await lines.read()).value);
    const clients: Deno.TcpConn[] = [];
    for (let count = 0; count < 80; count++) clients.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    assertEquals((await lines.read()).value, "starved\n");
    for (const client of clients) client.close();
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
    assertEquals(await response.text(), "here");
    process.kill();
    await lines.cancel();
    await process.status;
  },
});
