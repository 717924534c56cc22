/**
 * The eyes on a served configuration, and the hands: loaded where it has `metrics` or `admin`.
 *
 * @module
 */

import type { AuditEntry } from "../admin/api/admin_api.ts";
import type { HttpAddress } from "../admin/http_listener.ts";
import type { Totals } from "../admin/gauges.ts";
import type { InstrumentSet } from "../admin/instruments.ts";
import type { SteeredServer } from "../admin/steered.ts";
import { StartError } from "../check/exit_error.ts";
import type { EventListener, ServerEventName } from "../events.ts";
import type { Trace } from "../tracing.ts";
import { modeBits } from "../mode_bits.ts";
import type { Meter } from "../meter.ts";
import type { Configuration } from "../settings/table.ts";
import type { SocketAddress } from "../transport/connection.ts";
import type { ServerPlan } from "./worker_messages.ts";

/** What is measured, and how others learn of it. */
export interface Observation {
  /** Of the main event loop. */
  readonly meter: Meter;
  /** The same of spans; absent: nobody follows them. */
  readonly trace: Trace | undefined;
  readonly instruments: InstrumentSet;
  /** Takes what happens in all event loops. */
  readonly take: EventListener;
  /** Events that it needs of them. */
  readonly events: readonly ServerEventName[];
  /** What has happened in all event loops since the start. */
  readonly totals: () => Totals;
  /** Counts lines that the log had no room for. */
  readonly countDroppedLines: (count: number) => void;
  /**
   * Lets others ask, until what comes back is disposed of.
   *
   * @param plan What is in use.
   * @throws {StartError} When a port cannot be had.
   */
  readonly listen: (server: SteeredServer, plan: () => ServerPlan) => Promise<ObservationListeners>;
}

/** Where others ask. Disposing of it ends that. */
export interface ObservationListeners extends AsyncDisposable {
  readonly metrics: SocketAddress | undefined;
  /** Absent where it is a Unix socket, or there is none. */
  readonly admin: SocketAddress | undefined;
  /** Uses the certificate that is in use now. */
  renewCertificate(): Promise<void>;
}

/** What an observation works with. */
export interface ObservationOptions {
  readonly workers: number;
  /** Told of what goes wrong, and of what was done. */
  readonly onEvent: EventListener;
}

/** Makes what a configuration asks for; `undefined` where that is nothing. Nothing of it is loaded then. */
export async function observe(
  configuration: Configuration,
  { workers, onEvent }: ObservationOptions,
): Promise<Observation | undefined> {
  const { metrics, admin } = configuration;
  if (metrics === undefined && admin === undefined && !isExporting()) return undefined;
  const [{ createInstruments, InstrumentWriter }, { EventLoopMeter }, { totalsOf }] = await Promise.all([
    import("../admin/instruments.ts"),
    import("../admin/event_loop_meter.ts"),
    import("../admin/gauges.ts"),
  ]);
  const instruments = createInstruments(workers);
  const [memory] = instruments.memories;
  if (memory === undefined) throw new TypeError("Cannot measure a server without an event loop");
  const writer = new InstrumentWriter(memory);
  const onFailure = (message: string, cause: unknown) =>
    onEvent({ event: "internalError", time: new Date(), message, cause });
  const onAudit = (entry: AuditEntry) => onEvent({ event: "administered", time: new Date(), ...entry });
  // With all that this loads; most servers export nothing.
  const telemetry = isExporting() ? await import("../admin/open_telemetry.ts") : undefined;
  const panel = admin && await createPanel(instruments, { onFailure, onAudit });
  return {
    meter: new EventLoopMeter(memory),
    trace: telemetry && await telemetry.createTrace(),
    instruments,
    take: panel?.take ?? (() => {}),
    events: panel?.events ?? [],
    totals: () => totalsOf(instruments.reader),
    countDroppedLines: (count) => writer.add("logLinesDropped", [], count),
    listen: async (server, plan) => {
      await using opened = new AsyncDisposableStack();
      if (panel !== undefined) opened.use(panel);
      opened.use(await telemetry?.exportInstruments(instruments.reader, server));
      const metricsListener = metrics && await listenForMetrics(metrics, server, onFailure);
      if (metricsListener !== undefined) opened.use(metricsListener);
      const adminListener = admin && panel && opened.use(await panel.listen(admin, server, plan));
      const owned = opened.move();
      return {
        metrics: metricsListener && { host: metrics.host, port: metricsListener.port },
        admin: admin?.unix === undefined && adminListener ? { host: admin.host, port: adminListener.port } : undefined,
        renewCertificate: async () => await adminListener?.renew(),
        [Symbol.asyncDispose]: () => owned.disposeAsync(),
      };
    },
  };
}

/** Where Deno puts what exports to OpenTelemetry, where `OTEL_DENO=true` is in the environment. */
const TELEMETRY = Symbol.for("opentelemetry.js.api.1");

function isExporting(): boolean {
  const api = (globalThis as { [TELEMETRY]?: { readonly trace?: unknown } })[TELEMETRY];
  return api?.trace !== undefined;
}

type OnFailure = (message: string, cause: unknown) => void;
type Admin = NonNullable<Configuration["admin"]>;

async function listenForMetrics(address: SocketAddress, server: SteeredServer, onFailure: OnFailure) {
  const [{ answerMetrics }, { HttpListener }] = await Promise.all([
    import("../admin/metrics_endpoint.ts"),
    import("../admin/http_listener.ts"),
  ]);
  return explaining(
    `${address.host} port ${address.port} (metrics)`,
    () => HttpListener.listen(address, { answer: (request) => answerMetrics(request, server), onFailure }),
  );
}

/** The admin page and its API. */
async function createPanel(
  { reader }: InstrumentSet,
  { onFailure, onAudit }: { readonly onFailure: OnFailure; readonly onAudit: (entry: AuditEntry) => void },
) {
  const [
    { ApiAccess },
    { answerAdmin },
    { History },
    { RecentIncidents, INCIDENT_EVENTS },
    { HttpListener, RenewableListener },
  ] = await Promise.all([
    import("../admin/api/access.ts"),
    import("../admin/admin_endpoint.ts"),
    import("../admin/history.ts"),
    import("../admin/recent.ts"),
    import("../admin/http_listener.ts"),
  ]);
  const recent = new RecentIncidents();
  const history = new History(reader);
  return {
    take: recent.take,
    events: INCIDENT_EVENTS,
    async listen(admin: Admin, server: SteeredServer, plan: () => ServerPlan) {
      const access = new ApiAccess({
        token: () => plan().files.adminToken,
        isOpen: () => isOpen(plan().configuration.admin),
        hosts: () => [...admin.hosts, ...server.certificate?.names ?? []],
      });
      const options = {
        server,
        recent,
        history,
        access,
        streams: new Set<ReadableStream<Uint8Array>>(),
        onAudit,
        onFailure,
      };
      const open = (port: number) =>
        explaining(
          admin.unix ?? `${admin.host} port ${port} (admin)`,
          () =>
            HttpListener.listen(addressOf({ ...admin, port }, plan()), {
              answer: (request, client) => answerAdmin(request, client, options),
              onFailure,
            }),
        );
      if (admin.unix !== undefined) await removeSocket(admin.unix);
      const listener = new RenewableListener(admin.port, open);
      if (admin.unix !== undefined && !closeToOthers(admin.unix)) {
        await listener[Symbol.asyncDispose]();
        throw new StartError(
          `others on this host could reach ${admin.unix} for a moment (admin.unix): the umask lets them`,
          "umask 077 before the start; in a unit of systemd UMask=0077",
        );
      }
      let pair = plan().files.certificate;
      return {
        port: listener.port,
        async renew() {
          const { certificate } = plan().files;
          if (!admin.tls || admin.unix !== undefined || certificate?.certificate === pair?.certificate) return;
          pair = certificate;
          await listener.renew();
        },
        [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
      };
    },
    [Symbol.dispose]: () => history[Symbol.dispose](),
  };
}

/** Only a Unix socket needs no token. */
function isOpen(admin: Admin | undefined): boolean {
  return admin?.unix !== undefined && admin.tokenFile === undefined;
}

function addressOf({ host, port, tls, unix }: Admin, { files: { certificate } }: ServerPlan): HttpAddress {
  if (unix !== undefined) return { unix };
  if (!tls) return { host, port };
  if (certificate === undefined) throw new TypeError("Cannot listen with TLS: the certificate is missing");
  return { host, port, tls: { cert: certificate.certificate, key: certificate.key } };
}

/**
 * Removes one that an earlier run has left.
 *
 * @throws {StartError} When somebody listens there.
 */
async function removeSocket(path: string): Promise<void> {
  try {
    if (!(await Deno.lstat(path)).isSocket) return; // listening fails, and says so
    await refuseServed(path);
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Only where connections are refused nobody listens; one that takes none now, or not from this user, may still be served. */
async function refuseServed(path: string): Promise<void> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.NotFound) return;
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
  throw new StartError(`the socket is in use: ${path} (admin)`, "ss -lxp tells who has it");
}

/**
 * Lets nobody but this user reach a socket from now on, and returns whether nobody could before: who has connected by then stays
 * connected. To be called before anything else can happen.
 */
function closeToOthers(path: string): boolean {
  const mode = modeBits(Deno.lstatSync(path).mode, Deno.build.os);
  if (mode === undefined) return true;
  Deno.chmodSync(path, 0o600);
  return (mode & WRITABLE_BY_OTHERS) === 0;
}

/** Who may write to a socket may connect. */
const WRITABLE_BY_OTHERS = 0o022;

function explaining<Result>(where: string, listen: () => Result): Result {
  try {
    return listen();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AddrInUse)) throw cause;
    throw new StartError(`the port is in use: ${where}`, "ss -ltnp tells who has it", { cause });
  }
}
