import asyncio
import json
import struct


def run(cmd):
    word, _, rest = cmd.partition(' ')
    if word == 'echo':
        return rest + '\n'
    if word in ('seq', 'for'):
        return ''.join('%d\n' % n for n in range(1, 1001))
    if word in ('cd', 'true', ':'):
        return ''
    return '/bin/sh: %s: command not found\n' % word


def pack(cmd):
    data = run(cmd).encode('utf-8')
    header = {'filename': 'a.txt', 'md5': 'xxdxxx', 'total_size': len(data)}
    header = json.dumps(header).encode('utf-8')
    return struct.pack('i', len(header)) + header + data


async def client(reader, writer):
    try:
        while cmd := await reader.read(1024):
            writer.write(pack(cmd.decode('utf-8')))
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(client, '127.0.0.1', 8080)
    await server.serve_forever()


asyncio.run(main())
