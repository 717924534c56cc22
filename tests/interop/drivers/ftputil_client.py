"""ftputil; for its arguments see driver.ts."""

import ftplib
import os
import ssl
import sys

import ftputil
import ftputil.session

host, port, protection, ca_file, mode, user, password, *steps = sys.argv[1:]


class VerifyingSession(ftplib.FTP_TLS):
    def __init__(self, **options):
        super().__init__(context=ssl.create_default_context(cafile=ca_file or None), timeout=20, **options)


factory = ftputil.session.session_factory(
    base_class=VerifyingSession,
    port=int(port),
    encrypt_data_channel=True,
    encoding="UTF-8",
    use_passive_mode=mode == "passive",
)


def resume_get(ftp, path, local):
    with ftp.open(path, "rb", rest=os.path.getsize(local)) as source, open(local, "ab") as target:
        ftp.copyfileobj(source, target)


def resume_put(ftp, path, local):
    offset = ftp.path.getsize(path)
    with open(local, "rb") as source, ftp.open(path, "wb", rest=offset) as target:
        source.seek(offset)
        ftp.copyfileobj(source, target)


with ftputil.FTPHost(host, user, password, session_factory=factory) as ftp:
    operations = {
        "list": lambda path, _: print("\n".join(ftp.listdir(path or "."))),
        "get": ftp.download,
        "put": lambda path, local: ftp.upload(local, path),
        "resumeGet": lambda path, local: resume_get(ftp, path, local),
        "resumePut": lambda path, local: resume_put(ftp, path, local),
        "rename": ftp.rename,
        "mkdir": lambda path, _: ftp.mkdir(path),
        "rmdir": lambda path, _: ftp.rmdir(path),
        "delete": lambda path, _: ftp.remove(path),
    }
    for operation, remote, other in zip(*[iter(steps)] * 3):
        operations[operation](remote, other)
