import asyncio
import struct

LIMIT = 2 ** 24


async def ask(reader, writer, cmd):
    writer.write(cmd.encode('utf-8'))
    await writer.drain()
    (n,) = struct.unpack('i', await reader.readexactly(4))
    if n < 0 or n > LIMIT:
        raise ValueError('长度 %d' % n)
    return (await reader.readexactly(n)).decode('utf-8')


async def main():
    reader, writer = await asyncio.open_connection('127.0.0.1', 8080)
    while True:
        cmd = await asyncio.to_thread(input, '>>: ')
        if cmd.strip():
            print(await ask(reader, writer, cmd.strip()))


try:
    asyncio.run(main())
except (asyncio.IncompleteReadError, ConnectionError, EOFError, ValueError) as e:
    print('结束:', e)
