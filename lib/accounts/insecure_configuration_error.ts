/**
 * The error of a setting that is refused because it is insecure.
 *
 * @module
 */

/**
 * A setting that would open the server, and was not asked for by name. The message says what is wrong and what to do.
 *
 * @example
 * ```ts
 * import { InsecureConfigurationError, VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * try {
 *   new VirtualAuthorizer().addAnonymous("/srv/ftp/incoming", { permissions: "elrw" });
 * } catch (error) {
 *   if (!(error instanceof InsecureConfigurationError)) throw error;
 *   console.error(error.risk); // anonymous-write
 * }
 * ```
 */
export class InsecureConfigurationError extends Error {
  /** Name of the class. */
  override readonly name = "InsecureConfigurationError";
  /** Id of the risk, such as `"anonymous-write"`: the name by which it can be accepted. */
  readonly risk: string;

  /** Makes an error for the risk of the given id. */
  constructor(risk: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.risk = risk;
  }
}
