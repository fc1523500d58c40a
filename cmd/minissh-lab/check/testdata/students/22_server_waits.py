import socket

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(('127.0.0.1', 8080))
server.listen(5)
while True:
    conn, addr = server.accept()
    question = bytearray()
    try:
        while True:
            part = conn.recv(4096)
            if part == b'':
                break
            question += part
        question.reverse()
        conn.sendall(question)
    except ConnectionError as e:
        print(e)
    finally:
        conn.close()
