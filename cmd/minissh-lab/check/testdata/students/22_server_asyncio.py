import asyncio


async def serve(reader, writer):
    try:
        parts = []
        while True:
            part = await asyncio.wait_for(reader.read(4096), 3)
            if not part:
                break
            parts.append(part)
        writer.write(b''.join(parts)[::-1])
        await writer.drain()
    except (asyncio.TimeoutError, ConnectionError) as e:
        print('gave up:', repr(e))
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 8080)
    async with server:
        await server.serve_forever()

asyncio.run(main())
