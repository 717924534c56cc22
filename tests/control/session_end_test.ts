import { assert, assertEquals } from "@std/assert";
import { ControlChannel } from "../../lib/control/control_channel.ts";
import type { RunningTransfer } from "../../lib/control/command_context.ts";
import type { Service } from "../../lib/control/service.ts";
import { type EndedHost, SessionEnd } from "../../lib/control/session_end.ts";
import { DataPort } from "../../lib/data/data_port.ts";
import { PortPool } from "../../lib/data/port_pool.ts";
import { Transfer } from "../../lib/data/transfer.ts";
import { formatReply } from "../../lib/protocol/reply.ts";
import { UTF8 } from "../../lib/protocol/text_encoding.ts";
import { ConnectionError } from "../../lib/transport/connection.ts";
import { readySession } from "../helpers/fake_context.ts";
import { FakeControl } from "../helpers/fake_control.ts";

/** A session whose end the test asks for. */
function makeSession(running?: RunningTransfer) {
  const control = new FakeControl();
  const channel = new ControlChannel(control, {
    maxLineBytes: 64,
    encoding: () => UTF8,
    writeTimeoutMs: 0,
    onWriteTimeout: () => {},
  });
  const told: string[] = [];
  const host: EndedHost = {
    service: { emit: (event: string) => void told.push(event) } as unknown as Service,
    session: readySession(),
    running,
    send(reply) {
      told.push(`${reply.code}`);
      return channel.write(formatReply(reply));
    },
  };
  const dataPort = new DataPort(new PortPool(undefined), { unusedMs: 0, onUnused: () => {} });
  return { control, channel, told, end: new SessionEnd(host, channel, dataPort) };
}

Deno.test("SessionEnd.now() says 421 once, for the first reason, and interrupts everything then", async () => {
  const { control, end } = makeSession();
  end.closeNow("Login timed out.");
  end.closeNow("Control connection timed out.");
  assert(!end.signal.aborted);
  await end.closeGracefully();
  assertEquals(control.sentBeforeEnd, "421 Login timed out.\r\n");
  assertEquals([end.reason, end.signal.aborted, control.isClosed], ["Login timed out.", true, true]);
});

Deno.test("SessionEnd.now() says nothing during a handshake", () => {
  const { control, channel, end } = makeSession();
  channel.startTls();
  end.closeNow("Login timed out.");
  assertEquals([control.text, control.isClosed, end.reason], ["", true, "Login timed out."]);
});

Deno.test("SessionEnd.afterTransfer() lets the transfer end, and cutTransfer() ends it", async () => {
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const announced = Promise.resolve();
  const running = {
    transfer: new Transfer(),
    session: readySession(),
    place: undefined,
    announced,
    announce: () => {},
    done,
  };
  const { control, told, end } = makeSession(running);
  end.afterTransfer("Service is stopping.");
  end.cutTransfer("the server was stopped");
  assertEquals([running.transfer.failure?.kind, running.transfer.failure?.message], [
    "stopped",
    "the server was stopped",
  ]);
  assertEquals(told, []);
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
    const { control, told, end } = makeSession();
    end.fail(error);
    end.fail(new Error("What follows from it"));
    assertEquals([end.reason, told, control.text, control.isClosed], [reason, events, "", true]);
  });
}
