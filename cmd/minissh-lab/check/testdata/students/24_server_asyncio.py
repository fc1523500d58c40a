import asyncio


async def read_body(reader, headers):
    if 'chunked' not in headers.get('transfer-encoding', ''):
        return await reader.readexactly(int(headers.get('content-length', 0)))
    body = b''
    while True:
        size = int((await reader.readline()).split(b';')[0], 16)
        if size > 1000000:
            raise ValueError('too much')
        body += await reader.readexactly(size)
        if (await reader.readline()).strip():
            raise ValueError('a chunk ends in an empty line')
        if not size:
            return body


async def serve(reader, writer):
    keep = True
    try:
        while keep:
            head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1')
            request, *lines = head.strip().split('\r\n')
            method, path, _ = request.split(' ')
            headers = {}
            for line in lines:
                name, _, value = line.partition(':')
                headers[name.lower()] = value.strip().lower()
            body = await read_body(reader, headers)
            keep = headers.get('connection') != 'close'
            if path == '/upper' and method == 'POST':
                writer.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
                if body:
                    writer.write(b'%x\r\n%s\r\n' % (len(body), body.upper()))
                writer.write(b'0\r\n\r\n')
            else:
                writer.write(b'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError, ValueError) as e:
        print(repr(e))
    writer.close()


async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 8080)
    await server.serve_forever()

asyncio.run(main())
