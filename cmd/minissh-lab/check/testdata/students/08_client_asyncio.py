import asyncio


async def main():
    reader, writer = await asyncio.open_connection('127.0.0.1', 8080)
    loop = asyncio.get_running_loop()
    while True:
        line = await loop.run_in_executor(None, input, 'say> ')
        if not line.strip():
            continue
        writer.write(line.strip().encode('utf-8'))
        await writer.drain()
        data = await reader.read(1024)
        if not data:
            print('server closed')
            break
        print(data.decode('utf-8'))
    writer.close()


try:
    asyncio.run(main())
except (EOFError, ConnectionError):
    pass
