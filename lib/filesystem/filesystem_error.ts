/**
 * The one error class of file systems.
 *
 * @module
 */

/**
 * Why a file system refused an operation, and the reply that the client gets:
 *
 * - `busy`: another upload writes this file (450);
 * - `noSpace` (452);
 * - `unsupported`: there is no such operation here, or no such mode of writing (502);
 * - `invalidName`: the name cannot exist on this file system (553);
 * - `notFound`, also for what leads outside the root; `exists`, `isDirectory`, `notDirectory`,
 *   `directoryNotEmpty`; `notRegularFile`, a FIFO, device or socket; `permissionDenied`, by the operating system or the
 *   runtime's sandbox, also for mount points and from one mount to another (550).
 */
export type FileSystemErrorKind =
  | "busy"
  | "directoryNotEmpty"
  | "exists"
  | "invalidName"
  | "isDirectory"
  | "noSpace"
  | "notDirectory"
  | "notFound"
  | "notRegularFile"
  | "permissionDenied"
  | "unsupported";

/**
 * An operation refused by a file system. Clients see a fixed text for the kind; `message` and `cause` are for the log.
 *
 * @example An own file system that refuses dot files
 * ```ts
 * import { FileSystemError } from "@ftpsd/ftpsd";
 *
 * function refuseDotFiles(path: string): void {
 *   if (path.includes("/.")) throw new FileSystemError("permissionDenied", `Dot files are closed: "${path}"`);
 * }
 * refuseDotFiles("/notes.txt");
 * ```
 */
export class FileSystemError extends Error {
  /** Name of the class. */
  override readonly name = "FileSystemError";
  /** Why the operation was refused. */
  readonly kind: FileSystemErrorKind;

  /** Makes an error of the given kind; `options.cause` may hold the runtime's own error. */
  constructor(kind: FileSystemErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
