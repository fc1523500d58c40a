import select
import socket

server = socket.create_server(('127.0.0.1', 8080))
server.setblocking(False)
came, out = {}, {}
while True:
    wanted = [server] + [c for c in came if len(out[c]) < 1000000]
    readable, writable, _ = select.select(wanted, [c for c in out if out[c]], [])
    for conn in readable:
        if conn is server:
            client, addr = server.accept()
            client.setblocking(False)
            came[client], out[client] = bytearray(), bytearray()
            continue
        try:
            data = conn.recv(65536)
        except ConnectionError:
            data = b''
        if not data:
            del came[conn], out[conn]
            conn.close()
            continue
        came[conn] += data
        while b'\n' in came[conn]:
            line, _, came[conn] = came[conn].partition(b'\n')
            out[conn] += line.upper() + b'\n'
    for conn in writable:
        if conn in out:
            try:
                del out[conn][:conn.send(out[conn][:65536])]
            except ConnectionError:
                del came[conn], out[conn]
                conn.close()
