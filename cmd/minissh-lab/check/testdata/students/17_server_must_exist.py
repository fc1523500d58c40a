import json, os, socket, struct

phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
phone.bind(('127.0.0.1', 8080))
phone.listen(5)


def need(rest, conn, n):  # 至少 n 个字节
    if not 0 <= n <= 50000000:
        raise ValueError('length')
    while len(rest) < n:
        more = conn.recv(4096)
        if not more:
            raise ValueError('closed')
        rest += more
    return rest


def serve(conn):
    rest = b''
    while True:
        rest = need(rest, conn, 1)
        if rest[0:1] == b'g':
            filename = os.path.basename(rest.decode('utf-8').split(' ', 1)[1])
            rest = b''
            with open(filename, 'rb') as f:
                data = f.read()
            header = {'filename': filename, 'md5': 'xxdxxx', 'file_size': len(data)}
            header_bytes = json.dumps(header).encode('utf-8')
            conn.sendall(struct.pack('i', len(header_bytes)))
            conn.sendall(header_bytes)
            conn.sendall(data)
        else:
            while rest.find(b'{') < 0:
                rest = need(rest, conn, len(rest) + 1)
            rest = rest[rest.find(b'{') - 4:]
            length = struct.unpack('i', rest[:4])[0]
            if not 0 < length < 8192:
                raise ValueError('header')
            rest = need(rest, conn, 4 + length)
            header = json.loads(rest[4:4 + length].decode('utf-8'))
            rest, size = rest[4 + length:], header['file_size']
            rest = need(rest, conn, size)
            with open(os.path.basename(header['filename']), 'wb') as f:
                f.write(rest[:size])
            rest = rest[size:]


while True:
    conn, addr = phone.accept()
    try:
        serve(conn)
    except (ValueError, ConnectionError) as e:
        print('connection ended:', e)
    conn.close()
