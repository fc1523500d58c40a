import socket
import threading


class EchoServer:
    def __init__(self, host, port):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.bind((host, port))
        self.sock.listen(5)

    def talk(self, conn):
        try:
            while True:
                data = conn.recv(1024)
                if not data:
                    break
                conn.sendall(data.upper())
        except ConnectionError as e:
            print('断开:', e)
        conn.close()

    def run(self):
        while True:
            conn, addr = self.sock.accept()
            threading.Thread(target=self.talk, args=(conn,), daemon=True).start()


EchoServer('127.0.0.1', 8080).run()
