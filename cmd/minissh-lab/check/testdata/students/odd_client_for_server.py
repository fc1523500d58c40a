import socket


def run():
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect(('127.0.0.1', 8080))
    print('connected')
    while True:
        text = input('message: ')
        if not text.strip():
            continue
        sock.sendall(text.strip().encode('utf-8'))
        answer = sock.recv(1024)
        if not answer:
            break
        print('answer:', answer.decode('utf-8'))
    sock.close()


run()
