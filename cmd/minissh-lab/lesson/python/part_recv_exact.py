LIMIT = 64 * 1024 * 1024


def recv_exact(conn, n):
    if not 0 <= n <= LIMIT:  # 长度是对方说的 / the peer says what the length is
        raise ConnectionError('length %d refused' % n)
    data = b''
    while len(data) < n:
        res = conn.recv(min(n - len(data), 65536))
        if not res:  # 对方断开了 / the peer has closed
            raise ConnectionError('the connection ended after %d of %d bytes' % (len(data), n))
        data += res
    return data
