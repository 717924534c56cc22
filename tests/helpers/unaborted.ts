/**
 * What calls of a file system get whom nobody gives up.
 *
 * @module
 */

import type { CallOptions } from "../../lib/filesystem/filesystem.ts";

/** A signal that never aborts. */
export const UNABORTED: CallOptions = { signal: new AbortController().signal };
