import asyncio

PERIOD = bytes(range(251)) * 261


async def serve(reader, writer):
    try:
        while True:
            line = await reader.readline()
            if not line:
                break
            left, at = int(line), 0
            while left > 0:
                piece = PERIOD[at % 251:][:min(left, 60000)]
                writer.write(piece)
                await asyncio.wait_for(writer.drain(), 3)
                left -= len(piece)
                at += len(piece)
    except (OSError, ValueError, asyncio.TimeoutError) as e:
        print('lost:', repr(e))
    finally:
        writer.transport.abort()


async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 8080)
    await server.serve_forever()

asyncio.run(main())
