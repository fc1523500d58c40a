#[starter
import selectors
import socket
import sys

#:part listen
selector = selectors.DefaultSelector()
selector.register(phone, selectors.EVENT_READ)
while True:
    for key, events in selector.select():
        if key.fileobj is phone:
            conn, addr = phone.accept()
            selector.register(conn, selectors.EVENT_READ)
            continue
        conn = key.fileobj
        try:
            # 练习：来的是一整行吗？sendall 会等吗？ / exercise: is it a whole line? may sendall wait?
            line = conn.recv(10000)
            conn.sendall(line.upper())
        except OSError:
            line = b''
        if not line:
            selector.unregister(conn)
            conn.close()
#]
#[mended
import selectors
import socket
import sys

#:part listen
phone.setblocking(False)
selector = selectors.DefaultSelector()
selector.register(phone, selectors.EVENT_READ)


class Client:
    def __init__(self, conn):
        self.conn = conn
        self.came = b''  # 还不满一行的 / not a whole line yet
        self.out = b''  # 还没发出去的 / not sent yet

    def receive(self):
        data = self.conn.recv(65536)
        self.came += data
        lines = self.came.split(b'\n')
        self.came = lines.pop()
        self.out += b''.join(line.upper() + b'\n' for line in lines)
        return data and len(self.came) <= 10000

    def send(self):
        self.out = self.out[self.conn.send(self.out):]


while True:
    for key, events in selector.select():
        if key.fileobj is phone:
            conn, addr = phone.accept()
            conn.setblocking(False)
            selector.register(conn, selectors.EVENT_READ, Client(conn))
            continue
        client, alive = key.data, True
        try:
            if events & selectors.EVENT_READ:
                alive = client.receive()
            if client.out:
                client.send()
        except BlockingIOError:
            pass
        except OSError:
            alive = False
        if not alive:
            selector.unregister(client.conn)
            client.conn.close()
        elif client.out:  # 发完以前不再收：反压 / receive no more until it is sent
            selector.modify(client.conn, selectors.EVENT_WRITE, client)
        else:
            selector.modify(client.conn, selectors.EVENT_READ, client)
#]
