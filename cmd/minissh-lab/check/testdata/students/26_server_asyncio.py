import asyncio
import struct
import zlib


async def message(reader):
    n, = struct.unpack('<i', await reader.readexactly(4))
    if n < 1 or n > 65536:
        raise ValueError('a length of %d' % n)
    return await reader.readexactly(n)


async def serve(reader, writer):
    try:
        while True:
            data = await asyncio.wait_for(message(reader), 5)
            d = zlib.decompressobj()
            text = d.decompress(data, 1 << 20)
            if d.unconsumed_tail or not d.eof:
                raise ValueError('too large, or cut off')
            writer.write(struct.pack('<i', len(text)) + text.upper())
            await asyncio.wait_for(writer.drain(), 5)
    except (OSError, EOFError, ValueError, zlib.error, asyncio.TimeoutError) as e:
        print(repr(e))
    writer.close()


async def main():
    await (await asyncio.start_server(serve, '127.0.0.1', 8080)).serve_forever()

asyncio.run(main())
