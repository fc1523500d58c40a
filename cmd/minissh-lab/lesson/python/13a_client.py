import socket
import threading
import time

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(('127.0.0.1', 0))
listener.listen(1)
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(listener.getsockname())
conn, addr = listener.accept()


def sender():
    for word in (b'one', b'two', b'three', b'four'):
        client.sendall(word)
#[starter
        time.sleep(1)
#]
#[mended
        client.recv(1)  # 握手：对方收到了才发下一个 / a handshake: wait until it has been received
#]
    client.close()


threading.Thread(target=sender).start()
#[starter
time.sleep(5)  # 练习：先猜，recv 会返回几次？ / exercise: guess first, how many recvs?
#]
while True:
    data = conn.recv(1024)
    if not data:
        break
    print(data)
#[mended
    conn.send(b'.')
#]
