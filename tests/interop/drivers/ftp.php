<?php
// PHP's ftp extension; for its arguments see driver.ts.
[, $host, $port, $protection, , $mode, $user, $password] = $argv;
set_error_handler(function (int $level, string $message): never {
    fwrite(STDERR, "$message\n");
    exit(1);
});
$ftp = $protection === "clear" ? ftp_connect($host, (int) $port, 20) : ftp_ssl_connect($host, (int) $port, 20);
if ($ftp === false) exit(1);
ftp_login($ftp, $user, $password);
ftp_pasv($ftp, $mode === "passive");

foreach (array_chunk(array_slice($argv, 8), 3) as [$operation, $remote, $other]) {
    $done = match ($operation) {
        "list" => print(implode("", array_map(fn($name) => "$name\n", ftp_nlist($ftp, $remote === "" ? "." : $remote)))),
        "get" => ftp_get($ftp, $other, $remote, FTP_BINARY),
        "put" => ftp_put($ftp, $remote, $other, FTP_BINARY),
        "resumeGet" => ftp_get($ftp, $other, $remote, FTP_BINARY, filesize($other)),
        "resumePut" => ftp_put($ftp, $remote, $other, FTP_BINARY, ftp_size($ftp, $remote)),
        "rename" => ftp_rename($ftp, $remote, $other),
        "mkdir" => ftp_mkdir($ftp, $remote),
        "rmdir" => ftp_rmdir($ftp, $remote),
        "delete" => ftp_delete($ftp, $remote),
    };
    if ($done === false) exit(1);
}
ftp_close($ftp);
