/**
 * The client's side of a control connection without a network.
 *
 * @module
 */

import type { ControlTransport } from "../../lib/transport/connection.ts";
import { FakeConnection } from "./fake_transport.ts";

/** A clear connection that goes over to the protected one when the handshake is done. */
export class FakeControl extends FakeConnection implements ControlTransport {
  /** What the handshake gives. */
  readonly handshake = Promise.withResolvers<FakeControl>();
  /** What was sent until our direction was ended. */
  sentBeforeEnd = "";

  /** All that was written, as text. */
  get text(): string {
    return new TextDecoder().decode(this.sent);
  }

  startTls(): Promise<ControlTransport> {
    return this.handshake.promise;
  }

  override finish(): Promise<void> {
    this.sentBeforeEnd = this.text;
    return super.finish();
  }
}
