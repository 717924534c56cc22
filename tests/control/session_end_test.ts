import { assert, assertEquals } from "@std/assert";
import { ControlChannel } from "../../lib/control/control_channel.ts";
import { type Service, SessionState } from "../../lib/control/session_state.ts";
import { SessionEnd } from "../../lib/control/session_end.ts";
import { DataPort } from "../../lib/data/data_port.ts";
import { PortPool } from "../../lib/data/port_pool.ts";
import { UTF8 } from "../../lib/protocol/text_encoding.ts";
import { ConnectionError } from "../../lib/transport/connection.ts";
import { readySession } from "../helpers/fake_context.ts";
import { FakeControl } from "../helpers/fake_control.ts";

/** A session whose end the test asks for. */
function makeSession() {
  const control = new FakeControl();
  const channel = new ControlChannel(control, {
    maxLineBytes: 64,
    encoding: () => UTF8,
    writeTimeoutMs: 0,
    onReply: (text) => reported.push(text.slice(0, 3)),
    onWriteTimeout: () => {},
  });
  const reported: string[] = [];
  const service = { emit: (event: string) => void reported.push(event) } as unknown as Service;
  const state = new SessionState(service, readySession());
  const dataPort = new DataPort(new PortPool(undefined), { unusedMs: 0, onUnused: () => {} });
  return { control, channel, state, reported, end: new SessionEnd(state, channel, dataPort) };
}

Deno.test("SessionEnd.closeNow() says 421 once, for the first reason, and interrupts everything then", async () => {
  const { control, end } = makeSession();
  end.closeNow("Login timed out.");
  end.closeNow("Control connection timed out.");
  assert(!end.signal.aborted);
  await end.closeGracefully();
  assertEquals(control.sentBeforeEnd, "421 Login timed out.\r\n");
  assertEquals([end.reason, end.signal.aborted, control.isClosed], ["Login timed out.", true, true]);
});

Deno.test("SessionEnd.closeNow() says nothing during a handshake", () => {
  const { control, channel, end } = makeSession();
  channel.startTls();
  end.closeNow("Login timed out.");
  assertEquals([control.text, control.isClosed, end.reason], ["", true, "Login timed out."]);
});

Deno.test("SessionEnd.afterTransfer() lets the transfer end, and cutTransfer() ends it", async () => {
  const { control, state, reported, end } = makeSession();
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const running = Object.assign(state.startTransfer(), { done });
  end.afterTransfer("Service is stopping.");
  end.cutTransfer("the server was stopped");
  assertEquals([running.transfer.failure?.kind, running.transfer.failure?.message], [
    "stopped",
    "the server was stopped",
  ]);
  assertEquals(reported, []);
  resolve();
  await end.closeGracefully();
  assertEquals(control.sentBeforeEnd, "421 Service is stopping.\r\n");
  end[Symbol.dispose]();
});

for (
  const { error, reason, events } of [
    { error: new ConnectionError("reset", "Cut"), reason: "connection reset", events: [] },
    { error: new Error("A mistake"), reason: "internal error", events: ["internalError"] },
  ]
) {
  Deno.test(`SessionEnd.fail() abandons the session: ${reason}`, () => {
    const { control, reported, end } = makeSession();
    end.fail(error);
    end.fail(new Error("What follows from it"));
    assertEquals([end.reason, reported, control.text, control.isClosed], [reason, events, "", true]);
  });
}
