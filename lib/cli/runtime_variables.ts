/**
 * What the runtime is told by its environment, which the program itself does not read.
 *
 * While downloads keep an event loop busy, the runtime looks for new input only every 61 turns, and for what other threads
 * have sent every 31: of 100 commands beside eight downloads, 99 were answered within 50 ms. At every turn it is 5, and the
 * downloads are 3 to 8 % slower at most. Both or neither: with the first alone, messages between event loops wait. Deno does
 * not document the variables, and takes no notice of unknown ones.
 *
 * @module
 */

/** Assignments for a service that runs the program. */
export const RUNTIME_VARIABLES: readonly string[] = [
  "DENO_TOKIO_EVENT_INTERVAL=1",
  "DENO_TOKIO_GLOBAL_QUEUE_INTERVAL=1",
];
