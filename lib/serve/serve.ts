/**
 * Serving a configuration from a program, as `ftpsd serve` does.
 *
 * @module
 */

import type { EventListener } from "../events.ts";
import type { ListeningAddress } from "../server/acceptor.ts";
import { EventHub } from "../server/event_hub.ts";
import type { ShutdownOptions } from "../server/ftp_server.ts";
import type { SessionInfo } from "../session/session.ts";
import type { SessionSelector } from "../state/session_selector.ts";
import type { CertificateInfo } from "../transport/tls_context.ts";
import type { Remark, ServeSettings } from "./serve_settings.ts";

/** What else {@linkcode serve} is given. */
export interface ServeOptions {
  /** Told of what happens in all event loops. */
  readonly onEvent?: EventListener;
  /**
   * Told of accepted risks and warnings at the start and after a reload, of what waits for a restart, and of a certificate that
   * is replaced or expires. Must not throw.
   */
  readonly onRemark?: (remark: Remark) => void;
  /** Shuts the server down when it aborts. */
  readonly signal?: AbortSignal;
}

/** A server that {@linkcode serve} has started. Disposing of it shuts it down at once. */
export interface RunningServer extends AsyncDisposable {
  /** Where it listens. */
  readonly addresses: readonly ListeningAddress[];
  /** Where metrics are to be had; `undefined` without `metrics`. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  /** Where the admin page and its API are; `undefined` without `admin`, or where that is a Unix socket. */
  readonly admin: { readonly host: string; readonly port: number } | undefined;
  /** The certificate in use; `undefined` without TLS. */
  readonly certificate: CertificateInfo | undefined;
  /** How many event loops serve. */
  readonly workers: number;
  /** Resolves when it has stopped and everything is released; rejects when an event loop has failed. */
  readonly finished: Promise<void>;
  /** Who is connected, in all event loops. */
  sessions(): Promise<readonly SessionInfo[]>;
  /**
   * Ends sessions, in all event loops: what they do is cut, and their clients get 421 with the text.
   *
   * @returns How many.
   */
  disconnect(selector: SessionSelector, text?: string): Promise<number>;
  /**
   * Reads the configuration again and uses it in all event loops, without dropping a session. What waits for a restart is told
   * as a remark. One reload follows the other.
   *
   * @throws {UnusableConfigurationError} When it is wrong or unsafe; nothing has changed then, as after other errors.
   */
  reload(): Promise<void>;
  /** Stops: no new sessions, running transfers may end within the grace time, every client gets 421. May be called again. */
  shutdown(options?: ShutdownOptions): Promise<void>;
}

/**
 * Serves a configuration, with event loops, users and homes, checks and risks, the watch of the certificate's files and the log
 * of transfers as `ftpsd serve` has them. Deno has to permit what `ftpsd permissions` prints for it, with `workers` over 1 also
 * to read the folder of this library where it is on the disk.
 *
 * @param settings A function is asked again at each reload.
 * @throws {UnusableConfigurationError} When the configuration is wrong, or has a risk that it does not accept.
 * @throws The reason of `signal` when it aborts before.
 * @throws As `FtpServer.listen()`.
 *
 * @example Two event loops
 * ```ts
 * import { serve } from "@ftpsd/ftpsd";
 *
 * const home = await Deno.makeTempDir();
 * const configuration = { listen: [{ port: 0 }], workers: 2, anonymous: { home } };
 * await using server = await serve({ configuration }, {
 *   onEvent: (event) => console.log(event.event),
 *   onRemark: ({ level, text }) => console.log(level, text),
 * });
 * console.log(server.addresses, server.workers);
 * await server.reload();
 * ```
 */
export async function serve(
  settings: ServeSettings | (() => ServeSettings | Promise<ServeSettings>),
  options: ServeOptions = {},
): Promise<RunningServer> {
  const { signal } = options;
  signal?.throwIfAborted();
  // Loaded when needed: most programs make their server by themselves, and need no YAML.
  const [{ readSettings }, { Service }] = await Promise.all([
    import("./read_settings.ts"),
    import("./service.ts"),
  ]);
  const read = async (servedHomes?: ReadonlySet<string>) =>
    await readSettings(typeof settings === "function" ? await settings() : settings, servedHomes);
  const { onRemark } = options;
  // No throw of the listener ends anything, whichever event loop has the event.
  const hub = new EventHub({ onEvent: options.onEvent });
  const onEvent: EventListener = ({ event, ...fields }) => hub.emit(event, fields);
  const log = (level: Remark["level"], text: string) => onRemark?.({ level, text });
  const events = options.onEvent === undefined ? { events: [] } : {};
  const service = await Service.create(await read(), { read, log, onEvent, ...events, signal, dialogue: false });
  const stop = () => void service.shutdown().catch(() => {}); // reported by `finished`
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await service.listen();
  } catch (error) {
    signal?.removeEventListener("abort", stop);
    await service[Symbol.asyncDispose]();
    signal?.throwIfAborted();
    throw error;
  }
  service.finished.catch(() => {}).then(() => signal?.removeEventListener("abort", stop));
  return service;
}
