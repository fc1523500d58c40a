import asyncio


async def main():
    reader, writer = await asyncio.open_connection('127.0.0.1', 8080)
    for word in b'one two three four'.split():
        writer.write(word)
        await writer.drain()
        await reader.readexactly(1)
    writer.close()
    await writer.wait_closed()


asyncio.run(main())
