import socket
import threading


def handle(conn, addr):
    print('连接', addr)
    while True:
        try:
            data = conn.recv(1024)
            if not data:
                break
            conn.sendall(data.upper())
        except OSError as e:
            print(addr, e)
            break
    conn.close()


def server():
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(('127.0.0.1', 8080))
    sock.listen(128)
    while True:
        conn, addr = sock.accept()
        t = threading.Thread(target=handle, args=(conn, addr))
        t.daemon = True
        t.start()


if __name__ == '__main__':
    server()
