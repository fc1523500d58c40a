import selectors
import socket

sel = selectors.DefaultSelector()
server = socket.create_server(('127.0.0.1', 8080))
sel.register(server, selectors.EVENT_READ)
while True:
    for key, _ in sel.select():
        if key.fileobj is server:
            sel.register(server.accept()[0], selectors.EVENT_READ, bytearray())
            continue
        conn, waiting = key.fileobj, key.data
        try:
            data = conn.recv(4096)
            waiting += data
            while b'\n' in waiting:
                end = waiting.index(b'\n') + 1
                conn.sendall(waiting[:end].upper())
                del waiting[:end]
        except OSError:
            data = b''
        if not data:
            sel.unregister(conn)
            conn.close()
