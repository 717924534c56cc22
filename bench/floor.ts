// deno-lint-ignore-file no-console -- what it prints is what it is for
/**
 * What the runtime itself allows: a server that answers as an FTP server would and does nothing, on bare `node:net` and
 * `node:tls`. It checks nothing, knows no files and drops uploads. Downloads come from memory, of the size in the name.
 * With `kept` it opens a listener for each session only, and not for each data connection.
 *
 * deno run -A bench/floor.ts CERTIFICATE KEY [PORT [kept]]
 * curl --insecure --ssl-reqd --user u:p --output /dev/null ftp://127.0.0.1:2999/1048576
 *
 * @module
 */

import net from "node:net";
import tls from "node:tls";

const [certificate, key, port = "2999", listeners = "new"] = Deno.args;
if (certificate === undefined || key === undefined) throw new TypeError("Give a certificate and a key");
const CHUNK = new Uint8Array(256 * 1024);

const secureContext = tls.createSecureContext({
  cert: await Deno.readTextFile(certificate),
  key: await Deno.readTextFile(key),
});
const tlsOptions = { isServer: true, secureContext } as const;

/** Listeners that no session has. */
const kept: PassivePort[] = [];

/** A listener for data connections. */
class PassivePort {
  readonly #server: net.Server;
  #waiting = Promise.withResolvers<net.Socket>();

  constructor(onListening: () => void) {
    this.#server = net.createServer({ noDelay: true }, (socket) => this.#waiting.resolve(socket));
    this.#server.listen(0, "127.0.0.1", onListening);
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** The next connection. */
  async accept(): Promise<net.Socket> {
    const socket = await this.#waiting.promise;
    this.#waiting = Promise.withResolvers();
    if (listeners === "kept") kept.push(this);
    else this.#server.close();
    return socket;
  }
}

class Session {
  #control: net.Socket;
  #isProtected = false;
  #data: Promise<net.Socket> | undefined;

  constructor(socket: net.Socket) {
    this.#control = socket;
    this.#listen();
    this.#reply("220 floor");
  }

  #listen(): void {
    this.#control.on("error", () => {});
    this.#control.on("data", (bytes: Uint8Array) => {
      for (const line of new TextDecoder().decode(bytes).trim().split("\r\n")) this.#answer(line);
    });
  }

  #reply(text: string): void {
    this.#control.write(`${text}\r\n`);
  }

  async #answer(line: string): Promise<void> {
    const [command, argument] = line.split(" ");
    switch (command) {
      case "AUTH":
        return this.#startTls();
      case "USER":
        return this.#reply("331 ok");
      case "PASS":
        return this.#reply("230 ok");
      case "PROT":
        this.#isProtected = argument === "P";
        return this.#reply("200 ok");
      case "EPSV":
        return this.#openPort();
      case "RETR":
        return await this.#send(Number(argument));
      case "STOR":
        return await this.#receive();
      case "QUIT":
        this.#reply("221 ok");
        return void this.#control.end();
      default:
        return this.#reply("200 ok");
    }
  }

  #startTls(): void {
    this.#reply("234 ok");
    this.#control.removeAllListeners();
    this.#control.pause();
    this.#control = new tls.TLSSocket(this.#control, tlsOptions);
    this.#listen();
  }

  #openPort(): void {
    const open = () => {
      this.#reply(`229 ok (|||${passive.port}|)`);
      this.#data = passive.accept().then((socket) =>
        this.#isProtected ? new tls.TLSSocket(socket, tlsOptions) : socket
      );
    };
    const free = kept.pop();
    const passive = free ?? new PassivePort(() => open());
    if (free !== undefined) open();
  }

  async #send(size: number): Promise<void> {
    this.#reply("150 ok");
    const data = await this.#data;
    data?.on("error", () => {});
    for (let left = size; left > 0; left -= CHUNK.length) {
      const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
      await new Promise((resolve) => data?.write(chunk, resolve));
    }
    data?.end(() => this.#reply("226 ok"));
  }

  async #receive(): Promise<void> {
    this.#reply("150 ok");
    const data = await this.#data;
    data?.on("error", () => {});
    data?.on("data", () => {});
    data?.once("end", () => {
      data.end();
      this.#reply("226 ok");
    });
  }
}

net.createServer({ noDelay: true }, (socket) => new Session(socket)).listen(Number(port), "127.0.0.1");
console.log(`127.0.0.1 port ${port}`);
