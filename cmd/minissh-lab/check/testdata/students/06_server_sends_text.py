import socket


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(('127.0.0.1', 8080))
    server.listen(1)
    while True:
        conn, addr = server.accept()
        msg = conn.recv(1024).decode('utf-8')
        print('client said:', msg)
        conn.send(msg.upper())
        conn.close()


main()
