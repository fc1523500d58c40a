import selectors
import socket

sel = selectors.DefaultSelector()
server = socket.create_server(('127.0.0.1', 8080))
sel.register(server, selectors.EVENT_READ)
buffer = b''
while True:
    for key, _ in sel.select():
        conn = key.fileobj
        if conn is server:
            sel.register(server.accept()[0], selectors.EVENT_READ)
            continue
        try:
            data = conn.recv(4096)
            buffer += data
            while b'\n' in buffer:
                line, buffer = buffer.split(b'\n', 1)
                conn.sendall(line.upper() + b'\n')
        except OSError:
            data = b''
        if not data:
            sel.unregister(conn)
            conn.close()
