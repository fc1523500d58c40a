import socket

server = socket.create_server(('127.0.0.1', 8080))
block = bytes(range(251)) * 100
while True:
    conn, addr = server.accept()
    conn.settimeout(3)
    try:
        with conn.makefile('r') as lines:
            for line in lines:
                left, at = int(line), 0
                while left:
                    start = at % 251
                    n = conn.send(block[start:start + min(left, 20000)])
                    at += n
                    left -= n
    except OSError as e:
        print('next:', e)
    conn.close()
