import { assertEquals } from "@std/assert";
import {
  ConnectionError,
  type DataListener,
  type DataTransport,
  type IncomingConnection,
} from "../../lib/transport/connection.ts";
import { DenoTcpTransport } from "../../lib/transport/deno_tcp.ts";
import { NodeTlsTransport } from "../../lib/transport/node_tls.ts";
import { TlsContext } from "../../lib/transport/tls_context.ts";
import { programTest } from "../helpers/client_program.ts";
import { PAIR } from "../transport/tls_pairs.ts";

const UPLOADS = 100;
const UPLOAD_BYTES = 300_000;
const CONCURRENCY = 8;
const CLIENT = new URL("../helpers/upload_client.py", import.meta.url).pathname;
const PROTOCOLS = ["clear", "TLSv1.2", "TLSv1.3"] as const;

type Protocol = typeof PROTOCOLS[number];
type ClientEnding = "close_notify" | "unwrap" | "fin" | "reset" | "kill" | "partial";

const WHOLE = UPLOAD_BYTES;
const HALF = UPLOAD_BYTES / 2;

/** For each protocol and ending: which results are right, as "bytes, how read() ended". */
const EXPECTED: Readonly<
  Record<Protocol, Readonly<Partial<Record<ClientEnding, (bytes: number, end: string) => boolean>>>>
> = {
  "clear": {
    fin: (bytes, end) => bytes === WHOLE && end === "fin",
    reset: (bytes, end) => bytes <= HALF && end === "reset",
    kill: (bytes, end) => bytes === HALF && end === "fin",
  },
  "TLSv1.2": tlsExpectations(),
  "TLSv1.3": tlsExpectations(),
};

function tlsExpectations() {
  return {
    close_notify: (bytes: number, end: string) => bytes === WHOLE && end === "closeNotify",
    unwrap: (bytes: number, end: string) => bytes === WHOLE && end === "closeNotify",
    fin: (bytes: number, end: string) => bytes === WHOLE && end === "fin",
    reset: (bytes: number, end: string) => bytes <= HALF && end === "reset",
    kill: (bytes: number, end: string) => bytes === HALF && end === "fin",
    partial: (bytes: number, end: string) => bytes < HALF && end === "reset",
  };
}

for (const protocol of PROTOCOLS) {
  for (const [ending, isRight] of Object.entries(EXPECTED[protocol])) {
    Deno.test(programTest({
      program: "python3",
      name: `An upload over ${protocol} ended by "${ending}" is told from the other endings, ${UPLOADS} times`,
      fn: async () => {
        const { results, clientsDone } = await runUploads(protocol, ending);
        const wrong = results.filter(({ bytes, end }) => !isRight(bytes, end));
        assertEquals(wrong, []);
        assertEquals(results.length, UPLOADS);
        assertEquals(clientsDone, UPLOADS);
      },
    }));
  }
}

interface UploadResult {
  readonly bytes: number;
  /** Ending, or kind of the error. */
  readonly end: string;
}

async function runUploads(
  protocol: Protocol,
  ending: string,
): Promise<{ readonly results: readonly UploadResult[]; readonly clientsDone: number }> {
  await using resources = new AsyncDisposableStack();
  let transport: DataTransport = new DenoTcpTransport();
  if (protocol !== "clear") {
    transport = resources.use(
      new NodeTlsTransport(new TlsContext(PAIR)),
    );
  }
  const listener = await transport.listen({ host: "127.0.0.1", port: 0 });
  const uploads = acceptAll(listener);
  const { stdout, stderr } = await new Deno.Command("python3", {
    args: [CLIENT, "127.0.0.1", `${listener.address.port}`, protocol, ending]
      .concat([UPLOADS, UPLOAD_BYTES, CONCURRENCY].map(String)),
  }).output();
  const results = await Promise.all(await uploads);
  listener.close();
  const decoder = new TextDecoder();
  assertEquals(decoder.decode(stderr), "");
  return { results, clientsDone: Number(decoder.decode(stdout)) };
}

async function acceptAll(listener: DataListener): Promise<Promise<UploadResult>[]> {
  const uploads: Promise<UploadResult>[] = [];
  while (uploads.length < UPLOADS) uploads.push(receive(await listener.accept()));
  return uploads;
}

async function receive(incoming: IncomingConnection): Promise<UploadResult> {
  let bytes = 0;
  let isExact = true;
  const connection = await incoming.open("receive");
  try {
    for (let chunk = await connection.read(); chunk !== null; chunk = await connection.read()) {
      isExact &&= chunk.every((byte, index) => byte === (bytes + index) % 251);
      bytes += chunk.length;
    }
    await connection.finish();
    return { bytes, end: isExact ? `${connection.ending}` : "wrong bytes" };
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return { bytes, end: error.kind };
  } finally {
    connection.close();
  }
}
