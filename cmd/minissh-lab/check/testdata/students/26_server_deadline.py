import socket
import struct
import threading
import time
import zlib


def receive(conn, n, end):
    data = bytearray()
    while len(data) < n:
        conn.settimeout(max(0.001, end - time.monotonic()))
        piece = conn.recv(n - len(data))
        if not piece:
            raise ConnectionError('cut off')
        data += piece
    return bytes(data)


def serve(conn):
    try:
        while True:
            end = time.monotonic() + 5
            size, = struct.unpack('<i', receive(conn, 4, end))
            if not 0 < size <= 65536:
                raise ConnectionError('bad length')
            data = receive(conn, size, end)
            inflater = zlib.decompressobj()
            text = inflater.decompress(data, 1048577)
            if len(text) > 1048576:
                raise ConnectionError('too large')
            conn.sendall(struct.pack('<i', len(text)) + text.upper())
    except (OSError, zlib.error) as e:
        print(e)
    finally:
        conn.close()


server = socket.create_server(('127.0.0.1', 8080))
while True:
    conn, addr = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
