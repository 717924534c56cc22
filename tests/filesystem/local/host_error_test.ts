import { assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import { asFileSystemError, onHost } from "../../../lib/filesystem/local/host_error.ts";

Deno.test("asFileSystemError() maps what the system refuses and keeps the cause", () => {
  const kinds = {
    EACCES: "permissionDenied",
    EAGAIN: "busy",
    EBUSY: Deno.build.os === "windows" ? "busy" : "permissionDenied",
    EDQUOT: "noSpace",
    EEXIST: "exists",
    EFBIG: "noSpace",
    EINVAL: "invalidName",
    EISDIR: "isDirectory",
    ELOOP: "notFound",
    EMLINK: "noSpace",
    ENAMETOOLONG: "invalidName",
    ENOSPC: "noSpace",
    ENOSYS: "unsupported",
    ENOTEMPTY: "directoryNotEmpty",
    ENOTSUP: "unsupported",
    EOPNOTSUPP: "unsupported",
    EROFS: "permissionDenied",
    ETXTBSY: "permissionDenied",
    EXDEV: "permissionDenied",
  };
  for (const [code, kind] of Object.entries(kinds)) {
    const cause = Object.assign(new Error("No"), { code });
    const error = asFileSystemError(cause, "/a");
    assertInstanceOf(error, FileSystemError);
    assertStrictEquals(error.kind, kind, code);
    assertStrictEquals(error.cause, cause);
  }
});

Deno.test({ name: "asFileSystemError() maps what has a number alone", ignore: Deno.build.os === "windows" }, () => {
  for (const text of ["File too large (os error 27)", "Disk quota exceeded (os error 122): mkdir '/x'"]) {
    const error = asFileSystemError(new Error(text), "/a");
    assertInstanceOf(error, FileSystemError);
    assertStrictEquals(error.kind, "noSpace");
  }
});

Deno.test("asFileSystemError() maps a missing permission of the runtime", () => {
  const error = asFileSystemError(new Deno.errors.NotCapable("Requires write access"), "/a");
  assertInstanceOf(error, FileSystemError);
  assertStrictEquals(error.kind, "permissionDenied");
});

Deno.test("asFileSystemError() returns anything else as it is", () => {
  const others = [
    new FileSystemError("busy", "Busy"),
    new TypeError("Wrong"),
    Object.assign(new Error("Broken disk"), { code: "EIO" }),
    Object.assign(new Error("Odd"), { code: 5 }),
    new Error("Stale file handle (os error 116)"),
    "text",
    undefined,
  ];
  for (const other of others) assertStrictEquals(asFileSystemError(other, "/a"), other);
});

Deno.test("onHost() returns the result or throws the mapped error", () => {
  assertStrictEquals(onHost("/a", () => 7), 7);
  const error = assertThrows(
    () =>
      onHost("/a", () => {
        throw Object.assign(new Error("Full"), { code: "ENOSPC" });
      }),
    FileSystemError,
    '"/a"',
  );
  assertStrictEquals(error.kind, "noSpace");
});
