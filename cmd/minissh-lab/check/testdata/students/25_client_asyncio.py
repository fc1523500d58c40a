import asyncio
import ssl
import struct


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations('cert.pem')
    try:
        reader, writer = await asyncio.open_connection('127.0.0.1', 8080, ssl=context)
    except ssl.SSLError as e:
        print('not trusted:', e)
        return
    loop = asyncio.get_running_loop()
    while True:
        command = await loop.run_in_executor(None, input, '>>: ')
        if command.strip():
            writer.write(command.strip().encode())
            n, = struct.unpack('<i', await reader.readexactly(4))
            if n < 0 or n > 1 << 24:
                raise ValueError('length %d' % n)
            print((await reader.readexactly(n)).decode())

try:
    asyncio.run(main())
except (EOFError, OSError, ValueError) as e:
    print(e)
