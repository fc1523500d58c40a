import socket
import sys
import threading

#:part listen


#[starter
def serve(conn):
    while True:
        data = conn.recv(65536)  # 练习：这正好是一个请求吗？ / exercise: is it exactly one request?
        if not data:
            break
        head, body = data.split(b'\r\n\r\n', 1)
        body = body.upper()
        conn.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(body) + body)
    conn.close()
#]
#[mended
LIMIT = 16 * 1024 * 1024


def read_exactly(f, n):
    data = f.read(n)
    if len(data) < n:
        raise ConnectionError('the connection ended')
    return data


def read_line(f):
    line = f.readline(8192)
    if not line.endswith(b'\n'):
        raise ConnectionError('the connection ended in a line, or the line is too long')
    return line.strip()


def read_body(f, headers):
    if headers.get(b'transfer-encoding', b'').lower() == b'chunked':
        body = b''
        while True:
            size = int(read_line(f).split(b';')[0], 16)
            if not 0 <= size <= LIMIT - len(body):
                raise ValueError('too much')
            body += read_exactly(f, size)
            if size == 0:
                while read_line(f):  # 尾部字段，直到空行 / trailers, up to an empty line
                    pass
                return body
            read_line(f)
    size = int(headers.get(b'content-length', b'0'))
    if not 0 <= size <= LIMIT:
        raise ValueError('too much')
    return read_exactly(f, size)


def serve(conn):
    f = conn.makefile('rb')  # 多收的留在它的缓冲区里 / surplus bytes stay in its buffer
    try:
        while f.peek(1):
            method, path, version = read_line(f).split()
            headers = {}
            while line := read_line(f):
                name, value = line.split(b':', 1)
                headers[name.strip().lower()] = value.strip()
                if len(headers) > 100:
                    raise ValueError('too many headers')
            body = read_body(f, headers)
            status = b'200 OK'
            if (method, path) != (b'POST', b'/upper'):
                status, body = b'404 Not Found', b'only POST /upper'
            answer = body.upper()
            conn.sendall(b'HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n' % (status, len(answer)) +
                         answer)
            if headers.get(b'connection', b'').lower() == b'close':
                break
    except (OSError, ValueError) as e:
        print(e)
    f.close()
    conn.close()
#]


#:part threads
