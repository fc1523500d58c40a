import socket


def main():
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(('127.0.0.1', 8080))
    sock.listen(5)
    while True:
        # 每次循环处理一条消息
        client, address = sock.accept()
        print('connected by', address)
        data = client.recv(1024)
        if data:
            client.sendall(data.upper())


if __name__ == '__main__':
    main()
