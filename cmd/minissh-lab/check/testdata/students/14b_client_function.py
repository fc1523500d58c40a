import socket


def talk(sock, cmd):
    sock.sendall(cmd.encode('utf-8'))
    answer = sock.recv(1024)
    if not answer:
        raise ConnectionError('server closed')
    total = int(answer.decode('utf-8'))
    sock.sendall('recv_ready'.encode('utf-8'))
    pieces, size = [], 0
    while size < total:
        piece = sock.recv(1024)
        if not piece:
            raise ConnectionError('server closed')
        pieces.append(piece)
        size += len(piece)
    return b''.join(pieces).decode('utf-8')


def main():
    with socket.create_connection(('127.0.0.1', 8080)) as sock:
        while True:
            cmd = input('>>: ').strip()
            if cmd:
                print(talk(sock, cmd))


if __name__ == '__main__':
    main()
