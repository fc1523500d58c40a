import socket


class Client(object):
    def __init__(self, host='127.0.0.1', port=8080):
        self.sock = socket.socket()
        self.sock.connect((host, port))

    def ask(self, text):
        self.sock.sendall(text.encode('utf8'))
        answer = b''
        # 等到有数据为止
        while not answer:
            answer = self.sock.recv(1024)
        return answer.decode('utf8')

    def loop(self):
        while True:
            line = input('> ').strip()
            if line:
                print(self.ask(line))


if __name__ == '__main__':
    try:
        Client().loop()
    except (ConnectionError, EOFError):
        print('bye')
