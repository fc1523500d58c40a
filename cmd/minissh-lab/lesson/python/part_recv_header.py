def recv_header(conn):
    head_len = struct.unpack('<i', recv_exact(conn, 4))[0]
    if not 0 < head_len <= 8192:
        raise ConnectionError('header length %d refused' % head_len)
    return json.loads(recv_exact(conn, head_len).decode('utf-8'))
