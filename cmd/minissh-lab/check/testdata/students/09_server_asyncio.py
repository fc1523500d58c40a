import asyncio


async def handle(reader, writer):
    peer = writer.get_extra_info('peername')
    print('+', peer)
    try:
        while True:
            data = await reader.read(1024)
            if not data:
                break
            writer.write(data.upper())
            await writer.drain()
    except ConnectionError as e:
        print('!', peer, e)
    writer.close()
    print('-', peer)


async def main():
    server = await asyncio.start_server(handle, '127.0.0.1', 8080)
    async with server:
        await server.serve_forever()


asyncio.run(main())
