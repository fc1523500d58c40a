import select
import socket

server = socket.create_server(('127.0.0.1', 8080))
files = {}
while True:
    readable, _, _ = select.select([server, *files], [], [])
    for s in readable:
        if s is server:
            conn, addr = server.accept()
            files[conn] = conn.makefile('rb', buffering=0)
            continue
        try:
            line = files[s].readline()
            if line:
                s.sendall(line.upper())
        except OSError:
            line = b''
        if not line:
            del files[s]
            s.close()
