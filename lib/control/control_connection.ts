/**
 * One control connection from its greeting to its end: the server-PI of RFC 959 §2.3.
 *
 * @module
 */

import type { CommandRequest, CommandSpec } from "../commands/command.ts";
import { DataPort } from "../data/data_port.ts";
import { Watchdog, yieldToEventLoop } from "../deadline.ts";
import type { ServerEvents } from "../events.ts";
import { type CommandLine, parseCommandLine } from "../protocol/command_line.ts";
import type { DecodedLine } from "../protocol/line_decoder.ts";
import { formatSocketAddress } from "../protocol/host_port.ts";
import { isNegative, messageReply, type Reply, reply } from "../protocol/reply.ts";
import { createSession, secured, type Session, type SessionInfo } from "../session/session.ts";
import { ConnectionError, type ControlTransport, type PeerCertificate } from "../transport/connection.ts";
import { ClientWatch } from "./client_watch.ts";
import { ControlChannel } from "./control_channel.ts";
import { SessionContext } from "./command_context.ts";
import { errorReply, internalErrorReply, isOutage } from "./error_reply.ts";
import { type Admission, admit } from "./gate.ts";
import type { LineEffect } from "./line_reader.ts";
import { maskedCommand, maskedLine } from "../commands/command_table.ts";
import { PendingCommand } from "./pending_command.ts";
import { type DataTransports, type RunningTransfer, type Service, SessionState } from "./session_state.ts";
import { SessionEnd } from "./session_end.ts";

/**
 * First words of HTTP and SMTP: somebody makes a browser or a mail server talk to us. And of the PROXY protocol, where nobody is
 * trusted with it, or it has been spoken already.
 */
const FOREIGN_VERBS = [
  "CONNECT",
  "DELETE",
  "EHLO",
  "GET",
  "HEAD",
  "HELO",
  "OPTIONS",
  "PATCH",
  "POST",
  "PROXY",
  "PUT",
  "TRACE",
];

/** How many pipelined lines are obeyed before other sessions get their turn. */
const MAX_BATCH = 16;

const ACCOUNT_ENDED = reply(421, "This account cannot be used now.", "close");
const TIMED_OUT = "Control connection timed out.";

/** How long the session's end waits for a command that an authorizer or a file system does not answer. */
const WORK_TIMEOUT_MS = 500;

const ENDLESS_LINE = "Command line does not end.";

const UNUSABLE_LINES: Readonly<Record<Exclude<DecodedLine["kind"], "line" | "endless">, Reply>> = {
  tooLong: reply(500, "Command too long."),
  nul: reply(501, "Syntax error: NUL in command."),
  undecodable: reply(501, "Can't decode command."),
};

/** How a control connection is served. */
export interface ControlConnectionOptions {
  readonly service: Service;
  /** Id of the session, which no other has. */
  readonly id: string;
  /** Address that the listener was given. */
  readonly listenHost: string;
  /** Whether TLS starts before the greeting. */
  readonly implicitTls: boolean;
  /** Transports of data connections that come the same way as the control connection; absent: the service's. */
  readonly dataTransports?: DataTransports | undefined;
  /** Called when somebody has logged in for the first time. */
  readonly onLogin: () => void;
}

/**
 * Serves one client. Owns the transport, the data port and the running transfer from the constructor on; all are released
 * when {@linkcode ControlConnection.run} has resolved.
 */
export class ControlConnection {
  readonly #state: SessionState;
  readonly #dataPort: DataPort;
  readonly #context: SessionContext;
  readonly #since = new Date();
  readonly #openedAt = performance.now();
  readonly #onLogin: () => void;
  readonly #channel: ControlChannel;
  readonly #end: SessionEnd;
  readonly #watch: ClientWatch;
  #idle: Watchdog | undefined;
  /** Runs until the first login. */
  #login: Watchdog | undefined;
  readonly #pending = new PendingCommand();

  constructor(transport: ControlTransport, options: ControlConnectionOptions) {
    const { service, id, listenHost, implicitTls, dataTransports, onLogin } = options;
    const { encoding, settings: { limits, timeouts } } = service;
    const { local, remote, route } = transport;
    this.#onLogin = onLogin;
    const session = createSession({ id, listenHost, implicitTls, local, remote, route, encoding });
    this.#state = new SessionState(service, session, dataTransports);
    this.#channel = new ControlChannel(transport, {
      maxLineBytes: limits.commandLineBytes,
      encoding: () => this.#state.session.encoding,
      effectOf: (line) => this.#effectOf(line),
      onReply: (text) => this.#reportLine("sent", () => text.trimEnd()),
      // A client that takes no replies is as silent as one that sends no commands.
      writeTimeoutMs: timeouts.idle * 1000,
      onWriteTimeout: () => this.#timeOut(),
    });
    this.#dataPort = new DataPort(service.ports, {
      unusedMs: timeouts.data * 1000,
      isBusy: () => this.#state.running !== undefined || !this.#pending.isSettled,
      onUnused: () => this.#end.closeNow("Data connection timed out."),
    });
    this.#end = new SessionEnd(this.#state, this.#channel, this.#dataPort);
    this.#watch = new ClientWatch(this.#state, this.#channel, this.#end, this.#pending);
    this.#context = new SessionContext(this.#state, {
      channel: this.#channel,
      dataPort: this.#dataPort,
      pending: this.#pending,
      end: this.#end,
      watch: this.#watch,
    });
    const { signal } = this.#end;
    signal.addEventListener("abort", () => this.#pending.abortAll(signal.reason), { once: true });
  }

  /** What an operator may know of it. */
  get info(): SessionInfo {
    const { session: { tls, login }, running, event } = this.#state;
    const { transfer, file } = running ?? {};
    return {
      ...event,
      isLoggedIn: login.state === "loggedIn",
      tls: tls?.protocol,
      since: this.#since,
      transfer: transfer && file && { ...file, bytes: transfer.bytes, seconds: transfer.seconds },
    };
  }

  /** What the client has shown of itself. */
  get peerCertificate(): PeerCertificate | undefined {
    return this.#state.session.tls?.peerCertificate;
  }

  /** Serves the client to the end of the connection. Never rejects. */
  async run(): Promise<void> {
    const { service: { trace }, event: { session } } = this.#state;
    if (trace === undefined) return await this.#serve();
    await trace("session", { "ftp.session": session }, () => this.#serve());
  }

  async #serve(): Promise<void> {
    const { service, settings: { timeouts, banner } } = this.#state;
    service.emit("connected", { ...this.#state.event, ...routeFields(this.#state.session) });
    // A data connection that waits for its transfer has a time of its own, where there is one.
    const hasOwnTime = () => timeouts.data > 0 && this.#dataPort.state === "connected" && this.#pending.isSettled;
    using idle = new Watchdog(timeouts.idle * 1000, () => this.#end.closeNow(TIMED_OUT), {
      isSuspended: () => this.#state.running !== undefined || hasOwnTime(),
    });
    using login = new Watchdog(timeouts.login * 1000, () => this.#end.closeNow("Login timed out."));
    this.#idle = idle;
    this.#login = login;
    try {
      if (this.#state.session.implicitTls) await this.#startTls();
      await this.#channel.send(messageReply(220, banner));
      await this.#dialogue();
    } catch (error) {
      this.#end.fail(error);
    }
    await this.#release();
  }

  /** Ends the session once nothing is under way: after the running transfer, with 421. */
  stop(text = "Service is stopping."): void {
    this.#end.afterTransfer(text);
  }

  /** Cuts the running transfer, if there is one. The session ends soon after {@linkcode ControlConnection.stop} then. */
  cut(reason = "the server was stopped"): void {
    this.#end.cutTransfer(reason);
  }

  /** Ends the session at once for an error that nobody caught. */
  fail(cause: unknown): void {
    this.#state.reportError(cause, { uncaught: true });
    this.#end.setReason("internal error");
    this.#end.abandon();
  }

  #timeOut(): void {
    this.#end.setReason(TIMED_OUT);
    this.#end.abandon(TIMED_OUT);
  }

  /** Takes line after line until somebody ends the session. */
  async #dialogue(): Promise<void> {
    let pipelined = 0;
    for (let goesOn = true; goesOn;) {
      // Lines that are here already, and replies that are taken at once, would leave the other sessions no turn.
      if (this.#channel.lines.waiting > 0 && ++pipelined % MAX_BATCH === 0) await yieldToEventLoop();
      const line = await this.#channel.lines.next();
      this.#idle?.touch();
      if (line === null) {
        this.#watch.clientLeft();
        break;
      }
      if (this.#channel.isFinishing) break;
      goesOn = line.kind === "line" ? await this.#obey(line.text) : await this.#refuseLine(line.kind);
      if (this.#state.session.login.state === "loggedIn") this.#endPrelogin();
    }
    // A running transfer ends, and its reply goes out, before the connection is closed: QUIT does not cut it.
    await this.#state.running?.done;
  }

  /** Lifts what holds before the first login only. */
  #endPrelogin(): void {
    if (this.#login === undefined) return;
    this.#login[Symbol.dispose]();
    this.#login = undefined;
    this.#onLogin();
  }

  async #refuseLine(kind: keyof typeof UNUSABLE_LINES | "endless"): Promise<boolean> {
    if (kind === "endless") {
      this.#end.closeNow(ENDLESS_LINE);
      return false;
    }
    // It may have been the command that REST or RNFR were for.
    this.#state.update({ restartOffset: 0, renameFrom: undefined });
    await this.#channel.send(UNUSABLE_LINES[kind]);
    return true;
  }

  /** Does what one command line asks; returns whether the dialogue goes on. */
  async #obey(text: string): Promise<boolean> {
    const command = parseCommandLine(text);
    const startedAt = performance.now();
    this.#reportLine("received", () => maskedLine(this.#state.commands, command));
    if (this.#state.session.login.state === "none" && FOREIGN_VERBS.includes(command.verb)) {
      this.#end.setReason(`client does not speak FTP: ${command.verb}`);
      return false;
    }
    const answer = await this.#replyTo(() => {
      const work = this.#perform(command);
      if (!(work instanceof Promise)) return work;
      return this.#watch.performed(work, { mayReadAhead: !this.#state.commands.find(command.verb)?.startsTls });
    });
    if (answer !== undefined) return await this.#answer(command, answer, startedAt);
    if (this.#state.running !== undefined) await this.#watch.answered(this.#state.running);
    return true;
  }

  /** The final reply; `undefined` for a command that runs beside the dialogue and answers later. */
  #perform(command: CommandLine): Reply | undefined | Promise<Reply | undefined> {
    const transferEnded = () => {
      if (this.#state.running === undefined) return undefined;
      this.#channel.lines.delayed();
      return this.#watch.runningEnded();
    };
    const admission = admit(this.#context, command, transferEnded);
    if (admission instanceof Promise) return admission.then((admission) => this.#run(command, admission));
    return this.#run(command, admission);
  }

  #run(command: CommandLine, admission: Admission): Reply | undefined | Promise<Reply | undefined> {
    if ("refusal" in admission) return admission.refusal;
    const { row, request } = admission;
    const ended = row.quits ? undefined : this.#endOfAccount();
    if (ended !== undefined) return ended;
    if (row.dataConnection !== "uses" && !row.longRunning) return this.#runRow(row, request);
    const running = this.#state.startTransfer();
    const { signal } = running.transfer;
    running.done = this.#runTransfer(running, command, row, { ...request, signal });
    this.#watch.start();
    return undefined;
  }

  /** The last reply, where the account may not be used any more. What runs goes to its end first. */
  #endOfAccount(): Reply | undefined {
    const { session: { login }, running } = this.#state;
    if (login.state !== "loggedIn" || login.account.ending === undefined || running !== undefined) return undefined;
    const reason = login.account.ending(new Date());
    if (reason === undefined) return undefined;
    this.#end.setReason(reason);
    return ACCOUNT_ENDED;
  }

  #runRow(row: CommandSpec, request: CommandRequest): Reply | Promise<Reply> {
    const { trace } = this.#state.service;
    if (trace === undefined) return row.run(this.#context, request);
    return trace(row.verb, {}, async (span) => {
      const answer = await row.run(this.#context, request);
      span.set("ftp.reply", answer.code);
      return answer;
    });
  }

  /** Runs beside the dialogue. Never rejects. */
  async #runTransfer(
    running: RunningTransfer,
    command: CommandLine,
    row: CommandSpec,
    request: CommandRequest,
  ): Promise<void> {
    const startedAt = performance.now();
    // Also before the data connection and behind it: a file system may never answer.
    using _stalled = running.transfer.watch(this.#state.settings.timeouts.data * 1000);
    try {
      const answer = await this.#replyTo(async () => await this.#runRow(row, request));
      if (!await this.#answer(command, answer, startedAt)) void this.#end.closeGracefully();
    } catch (error) {
      // The control connection is gone. The dialogue may wait for nothing but this transfer, so it has to end.
      this.#end.fail(error);
    } finally {
      this.#state.endTransfer(running);
      this.#idle?.touch();
      running.report?.();
    }
  }

  /** Does the work, or returns the reply that says why not; rejects only when the session has ended. */
  async #replyTo<Result>(work: () => Result | Promise<Result>): Promise<Result | Reply> {
    try {
      return await work();
    } catch (error) {
      if (this.#end.signal.aborted) throw error;
      const expected = errorReply(error);
      if (expected === undefined || isOutage(error)) this.#state.reportError(error);
      if (expected !== undefined) return expected;
      return internalErrorReply(this.#state.session.id);
    }
  }

  /** Sends a final reply and does what it brings with it; returns whether the dialogue goes on. */
  async #answer(command: CommandLine, answer: Reply, startedAt: number): Promise<boolean> {
    if (answer.effect === "startTls" && this.#channel.lines.hasPending) {
      throw new ConnectionError("injected", "Clear bytes came behind AUTH");
    }
    await this.#channel.send(answer);
    if (this.#state.service.wantsCommands) this.#reportDone(command, answer, startedAt);
    if (isNegative(answer)) this.#refused(command, answer);
    if (answer.effect === "startTls") await this.#startTls();
    if (answer.effect !== "close") return true;
    if (this.#state.commands.find(command.verb)?.quits) this.#watch.clientQuit();
    this.#end.setReason(isNegative(answer) ? answer.lines[0] : "client quit");
    return false;
  }

  /** Goes on over TLS: after AUTH, or before the greeting on an implicit listener. */
  async #startTls(): Promise<void> {
    using _deadline = new Watchdog(this.#state.settings.timeouts.handshake * 1000, () => {
      this.#end.setReason("TLS handshake timed out");
      this.#channel.close();
    });
    const tls = await this.#channel.startTls();
    this.#state.update(secured(this.#state.session, tls));
    this.#state.service.emit("secured", { ...this.#state.event, ...tls });
  }

  #effectOf(line: DecodedLine): LineEffect | undefined {
    const row = line.kind === "line" ? this.#state.commands.find(parseCommandLine(line.text).verb) : undefined;
    if (row?.interruptsTransfer) return "interrupts";
    if (row?.startsTls) return "startsTls";
    return row?.quits ? "quits" : undefined;
  }

  async #release(): Promise<void> {
    await this.#end.closeGracefully();
    await this.#state.running?.done;
    await this.#workEnded();
    await this.#watch.ended;
    this.#state.releaseAccount();
    this.#state.service.emit("disconnected", {
      ...this.#state.event,
      seconds: (performance.now() - this.#openedAt) / 1000,
      reason: this.#end.reason ?? "ended",
    });
    this.#end[Symbol.dispose]();
  }

  /** Waits for the last command to let go of what it holds, though not for ever. */
  async #workEnded(): Promise<void> {
    const late = Promise.withResolvers<void>();
    using _deadline = new Watchdog(WORK_TIMEOUT_MS, () => late.resolve());
    const ended = this.#pending.ended().then(() => this.#context.filesSettled());
    await Promise.race([ended, late.promise]);
  }

  #reportLine(direction: "received" | "sent", line: () => string): void {
    const { service } = this.#state;
    if (service.wantsDialogue) service.emit("dialogue", { ...this.#state.event, direction, line: line() });
  }

  #reportDone({ verb }: CommandLine, { code }: Reply, startedAt: number): void {
    const command = this.#state.commands.find(verb)?.verb ?? "?";
    const seconds = (performance.now() - startedAt) / 1000;
    this.#state.service.emit("commandDone", { ...this.#state.event, command, code, seconds });
  }

  #refused(command: CommandLine, answer: Reply): void {
    if (this.#state.commands.find(command.verb)?.dataConnection === "uses") this.#dataPort.refuse();
    this.#state.service.emit("commandRefused", {
      ...this.#state.event,
      ...maskedCommand(this.#state.commands, command),
      code: answer.code,
      reply: answer.lines[0],
    });
  }
}

/** What the log may tell of the balancer. */
function routeFields({ route }: Session): Pick<ServerEvents["connected"], "via" | "uniqueId"> {
  if (route === undefined) return {};
  const { remote, uniqueId } = route;
  return { via: formatSocketAddress(remote), ...uniqueId === undefined ? {} : { uniqueId } };
}
