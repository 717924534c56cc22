"""aioftp; for its arguments see driver.ts."""

import asyncio
import os
import ssl
import sys

import aioftp

host, port, protection, ca_file, mode, user, password, *steps = sys.argv[1:]


async def get(client, remote, local, offset=0):
    async with client.download_stream(remote, offset=offset) as stream:
        with open(local, "ab" if offset else "wb") as file:
            async for block in stream.iter_by_block():
                file.write(block)


async def put(client, remote, local, offset=0):
    with open(local, "rb") as file:
        file.seek(offset)
        async with client.upload_stream(remote, offset=offset) as stream:
            while block := file.read(65536):
                await stream.write(block)


async def listing(client, path, _):
    for name, facts in await client.list(path):
        if facts["type"] not in ("cdir", "pdir"):  # it hands on the listed folder itself
            print(name)


async def resume_put(client, remote, local):
    await put(client, remote, local, int((await client.stat(remote))["size"]))


async def abort(client, remote, _):
    stream = await client.download_stream(remote)
    await stream.read(1000)
    await client.abort()
    stream.close()


OPERATIONS = {
    "list": listing,
    "get": get,
    "put": put,
    "resumeGet": lambda client, remote, local: get(client, remote, local, os.path.getsize(local)),
    "resumePut": resume_put,
    "rename": lambda client, old, new: client.rename(old, new),
    "mkdir": lambda client, path, _: client.make_directory(path),
    "rmdir": lambda client, path, _: client.remove_directory(path),
    "delete": lambda client, path, _: client.remove_file(path),
    "mirrorGet": lambda client, remote, local: client.download(remote, local, write_into=True),
    "mirrorPut": lambda client, remote, local: client.upload(local, remote, write_into=True),
    "abort": abort,
}


async def main():
    context = ssl.create_default_context(cafile=ca_file or None) if protection == "implicit" else None
    client = aioftp.Client(ssl=context, socket_timeout=20)
    await client.connect(host, int(port))
    await client.login(user, password)
    for operation, remote, other in zip(*[iter(steps)] * 3):
        await asyncio.wait_for(OPERATIONS[operation](client, remote, other), 5)
    await client.quit()


asyncio.run(main())
