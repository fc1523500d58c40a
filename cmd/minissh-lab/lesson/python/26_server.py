import socket
import struct
import sys
import threading
#[mended
import time
#]
import zlib

#:part listen


#[starter
def recv_exact(conn, n):
    data = b''
    while len(data) < n:
        res = conn.recv(n - len(data))
        if not res:
            raise ConnectionError('the connection ended')
        data += res
    return data


def serve(conn):
    conn.settimeout(5)
    try:
        while True:
            # 练习：这些数是谁给的？ / exercise: where do these numbers come from?
            size = struct.unpack('<i', recv_exact(conn, 4))[0]
            data = zlib.decompress(recv_exact(conn, size)).upper()
            conn.sendall(struct.pack('<i', len(data)) + data)
    except OSError as e:
        print(e)
    conn.close()
#]
#[mended
SIZE = 65536  # 压缩的最多这么多字节 / at most, compressed
INFLATED = 1024 * 1024  # 解压以后最多这么多字节 / at most, inflated
PATIENCE = 5  # 一条消息最多几秒 / seconds for one message


def recv_exact(conn, n, deadline):
    data = b''
    while len(data) < n:
        left = deadline - time.monotonic()  # 期限是给整条消息的 / for the whole message
        if left <= 0:
            raise ConnectionError('太慢 / too slow')
        conn.settimeout(left)
        res = conn.recv(n - len(data))
        if not res:
            raise ConnectionError('the connection ended')
        data += res
    return data


def inflate(data):
    z = zlib.decompressobj()
    text = z.decompress(data, INFLATED + 1)  # 边解压边数 / counted on the way
    if len(text) > INFLATED or not z.eof:
        raise ConnectionError('解压以后太大，或者不完整 / too large when inflated, or incomplete')
    return text


def serve(conn):
    try:
        while True:
            deadline = time.monotonic() + PATIENCE
            size = struct.unpack('<i', recv_exact(conn, 4, deadline))[0]
            if not 0 < size <= SIZE:
                raise ConnectionError('length %d refused' % size)
            data = inflate(recv_exact(conn, size, deadline)).upper()
            conn.settimeout(PATIENCE)
            conn.sendall(struct.pack('<i', len(data)) + data)
    except (OSError, zlib.error) as e:
        print(e)
    conn.close()
#]


#:part threads
