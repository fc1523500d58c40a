import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.connect(('127.0.0.1', 8080))


def run(cmd):
    sock.sendall(cmd.encode('utf-8'))
    length = sock.recv(1024)
    if not length:
        raise SystemExit('closed')
    length = int(length.decode('utf-8'))
    data = b''
    while len(data) < length:
        piece = sock.recv(1024)
        if not piece:
            raise SystemExit('closed')
        data += piece
    return data.decode('utf-8')


while True:
    cmd = input('>>: ').strip()
    if cmd:
        print(run(cmd))
