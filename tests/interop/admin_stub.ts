/**
 * A server that looks like the admin listener to the page, and says what a test wants.
 *
 * @module
 */

import { answerPage } from "../../lib/admin/page/page.ts";

/** What it says. */
export interface StubState {
  /** Message of the stream, without its time. */
  message: Record<string, unknown>;
  readonly quotas?: readonly unknown[];
  readonly bans?: readonly unknown[];
  readonly nodes?: readonly unknown[];
  readonly history?: readonly unknown[];
  /** Changes `message` before each sending. */
  readonly advance?: (state: StubState) => void;
  /** Whether it says the incidents each time. */
  readonly repeats?: boolean;
  /** Milliseconds between messages; default 1,000. */
  readonly everyMs?: number;
}

/** Listens on a port of its own until it is disposed of. */
export class StubAdmin implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #timers = new Set<ReturnType<typeof setInterval>>();

  constructor(state: StubState) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      const path = new URL(request.url).pathname.replace("/api/v1/", "");
      if (path === "stream") {
        return new Response(this.#stream(state), { headers: { "content-type": "text/event-stream" } });
      }
      const { quotas = [], bans = [], nodes = [], history = [] } = state;
      const lists: Record<string, readonly unknown[]> = { quotas, bans, nodes, history };
      if (Object.hasOwn(lists, path)) return Response.json(lists[path]);
      return await answerPage(request, { wantsToken: false }) ?? new Response(null, { status: 404 });
    });
  }

  /** Where it is. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  #stream(given: StubState): ReadableStream<Uint8Array> {
    const state = { ...given, message: { ...given.message } };
    const encoder = new TextEncoder();
    let timer: ReturnType<typeof setInterval> | undefined;
    return new ReadableStream({
      start: (controller) => {
        const send = () => {
          if ((controller.desiredSize ?? 0) <= 0) return;
          state.advance?.(state);
          const message = { time: Date.now() / 1000, ...state.message };
          controller.enqueue(encoder.encode(`data: ${JSON.stringify(message)}\n\n`));
          if (!state.repeats) state.message["incidents"] = [];
        };
        send();
        timer = setInterval(send, state.everyMs ?? 1000);
        this.#timers.add(timer);
      },
      cancel: () => clearInterval(timer),
    }, { highWaterMark: 4 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#server.shutdown();
  }
}

const DAY_MS = 86_400_000;

/** A server of a company of middling size on a usual day, for pictures. */
export function usualDay(): StubState {
  const now = Date.now();
  const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();
  const partners = [
    "acme-orders",
    "scanner-2f",
    "camera-yard",
    "backup",
    "printshop",
    "webshop",
    "carrier-dk",
    "labels",
  ];
  const sessions = Array.from({ length: 14 }, (_, index) => ({
    session: `7f3a1-${index + 1}`,
    remote: `198.51.100.${17 + index * 7}:${50_000 + index * 211}`,
    username: partners[index % partners.length],
    isLoggedIn: true,
    tls: "TLSv1.3",
    since: ago(4000 - index * 163),
    ...index % 2 === 0 && index < 12 && { transfer: transferOf(index * 2) },
  }));
  return {
    message: {
      server: {
        version: "0.1.0",
        since: ago(1_040_000),
        workers: 2,
        addresses: [{ host: "0.0.0.0", port: 21, tls: "explicit" }, { host: "0.0.0.0", port: 990, tls: "implicit" }],
        isReady: true,
        sessions: sessions.length,
        certificate: {
          fingerprint: Array.from({ length: 32 }, (_, index) => (index * 37 % 256).toString(16).padStart(2, "0")).join(
            ":",
          ).toUpperCase(),
          names: ["ftp.example.com"],
          validTo: new Date(now + 11.5 * DAY_MS).toISOString(),
          daysLeft: 11,
          selfSigned: false,
        },
        acceptedRisks: [{ risk: "no-close-notify", reason: "the carrier's robot never sends it", until: "2027-03-31" }],
      },
      sessions,
      totals: { received: 0, sent: 0, logins: 18_412, loginsFailed: 377, transfers: 96_204, incomplete: 41 },
      incidents: incidentsOf(ago),
    },
    quotas: [
      { name: "user acme-orders", limits: { bytes: 50e9, files: 0 }, used: { bytes: 31.4e9, files: 8123 } },
      { name: "user camera-yard", limits: { bytes: 200e9, files: 500_000 }, used: { bytes: 191e9, files: 212_400 } },
      { name: "group partners", limits: { bytes: 1e12, files: 0 }, used: { bytes: 240e9, files: 40_100 } },
    ],
    bans: [{ address: "203.0.113.66", seconds: 512 }, { address: "2001:db8:bad::/64", seconds: 80_000 }],
    nodes: [
      { name: "ftp-1", isThis: true, sessions: 14, leaseSeconds: 9.4 },
      { name: "ftp-2", isThis: false, sessions: 19, leaseSeconds: 8.1 },
    ],
    history: historyOf(now / 1000),
    advance: ({ message }) => {
      const { totals, sessions } = message as { totals: Record<string, number>; sessions: { transfer?: Moving }[] };
      const seconds = (Date.now() - now) / 1000;
      totals["received"] = 9.6e6 * seconds;
      totals["sent"] = 3.9e6 * seconds;
      for (const { transfer } of sessions) {
        if (transfer !== undefined) transfer.bytes = Math.round(transfer.rate * (transfer.seconds + seconds));
      }
    },
  };
}

interface Moving {
  bytes: number;
  readonly seconds: number;
  readonly rate: number;
}

function transferOf(index: number): Record<string, string | number> {
  const paths = [
    "/orders/2026-11-29.csv",
    "/scans/invoice-0412.pdf",
    "/yard/gate-3/0712.mp4",
    "/nightly/db.dump.zst",
    "/plates/cover-b2.tiff",
    "/export/products.xml",
  ];
  const rate = [96_000, 310_000, 2_400_000, 6_100_000, 48_000, 820_000][index / 4 % 6] ?? 1;
  const seconds = 20 + index * 9;
  return {
    command: index % 8 === 0 ? "STOR" : "RETR",
    path: paths[index / 4 % 6] ?? "",
    bytes: rate * seconds,
    seconds,
    rate,
  };
}

function incidentsOf(ago: (seconds: number) => string): Record<string, unknown>[] {
  return [
    {
      time: ago(3100),
      event: "commandRefused",
      session: "7f3a1-3",
      remote: "198.51.100.31:50422",
      username: "camera-yard",
      text: "LIST: Passive data channel timed out.",
      code: 425,
    },
    {
      time: ago(2000),
      event: "loginFailed",
      session: "7f3a1-9",
      remote: "203.0.113.66:41022",
      username: "root",
      text: "login failed",
    },
    { time: ago(1990), event: "banned", remote: "203.0.113.66", text: "banned for 900 s" },
    {
      time: ago(400),
      event: "transferIncomplete",
      session: "7f3a1-5",
      remote: "198.51.100.45:50844",
      username: "printshop",
      text: "STOR /plates/cover-b1.tiff after 18219008 bytes: data connection ended without TLS close_notify",
    },
  ];
}

function historyOf(now: number): Record<string, number>[] {
  return Array.from({ length: 359 }, (_, index) => {
    const wave = 1 + Math.sin(index / 27) / 2 + Math.sin(index * 0.2) / 6;
    return {
      time: now - (359 - index) * 10,
      sessions: Math.round(16 * wave),
      received: 9.6e6 * wave,
      sent: 4.1e6 * (2 - wave) + 1e6,
      logins: Math.round(3 * wave),
      loginsFailed: index % 61 < 5 ? 2 : 0,
      incomplete: index % 97 === 0 ? 1 : 0,
    };
  });
}
