import asyncio


async def serve(reader, writer):
    try:
        async for line in reader:
            writer.write(line.upper())
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def main():
    async with await asyncio.start_server(serve, '127.0.0.1', 8080) as server:
        await server.serve_forever()


asyncio.run(main())
