/**
 * An FTPS server to embed: TLS on, anonymous writing off.
 *
 * @example Share a folder with one user
 * ```ts no-eval
 * import { FtpServer, VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * const authorizer = new VirtualAuthorizer();
 * authorizer.addUser("user", "12345", "/srv/ftp", { permissions: "elradfmwMT" });
 *
 * await using server = new FtpServer({ authorizer });
 * await server.listen();
 * await server.finished;
 * ```
 *
 * @module
 */

export * from "./lib/auth/authorizer.ts";
export * from "./lib/auth/authorizer_busy_error.ts";
export * from "./lib/auth/insecure_configuration_error.ts";
