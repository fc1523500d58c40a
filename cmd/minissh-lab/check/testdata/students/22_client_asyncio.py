import asyncio
import sys


async def main():
    reader, writer = await asyncio.open_connection('127.0.0.1', 8080)
    for line in sys.stdin:
        writer.write(line.rstrip('\n').encode() + b'\n')
        await writer.drain()
    writer.write_eof()
    try:
        answer = await asyncio.wait_for(reader.read(), 3)
        print(answer.decode())
    except asyncio.TimeoutError:
        print('the server says nothing')
    writer.close()

asyncio.run(main())
