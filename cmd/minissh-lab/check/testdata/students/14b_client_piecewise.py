import socket


def main():
    s = socket.socket()
    s.connect(('127.0.0.1', 8080))
    while True:
        cmd = input('cmd: ').strip()
        if cmd == '':
            continue
        if cmd == 'quit':
            break
        s.sendall(cmd.encode('utf-8'))
        answer = s.recv(1024)
        if not answer:
            break
        length = int(answer)
        s.sendall(b'recv_ready')
        received = 0
        text = ''
        while received < length:
            piece = s.recv(1024)
            if not piece:
                return
            received += len(piece)
            text += piece.decode('utf-8')
        print(text)
    s.close()


main()
