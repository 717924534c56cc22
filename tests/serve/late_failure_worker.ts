/**
 * A worker of which the second one cannot start, which it finds out when as many clients are connected as may be, of one address.
 *
 * @module
 */

import "../../lib/serve/worker_program.ts";
import type { FromWorker, ToWorker } from "../../lib/serve/worker_messages.ts";
import { SharedTable } from "../../lib/state/shared_table.ts";

/** The field of an address that counts its connections. */
const CONNECTIONS = 0;

const scope = globalThis as unknown as {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};
const { onmessage: program } = scope;

scope.onmessage = (event) => {
  const { data } = event;
  if (data.kind !== "start" || !data.idPrefix.endsWith("2")) return program?.(event);
  const table = new SharedTable(data.memory.state);
  const key = table.keyOf("address", "127.0.0.1");
  const look = () => {
    const count = table.locked((records) => {
      const record = records.find(key);
      return record === 0 ? 0 : records.get(record, CONNECTIONS);
    });
    if (count < data.plan.configuration.limits.connections) return void setTimeout(look, 5);
    scope.postMessage({ kind: "failed", reason: "no descriptor", lacksDescriptors: true });
  };
  look();
};
