import socket

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(('127.0.0.1', 0))
listener.listen(1)
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(listener.getsockname())
conn, addr = listener.accept()
#[starter
# 练习：加上、去掉下一行的 #，各跑一次 / exercise: run it with and without the next line's #
# client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for i in range(10):
    client.send(b'msg%d;' % i)
#]
#[mended
# 合成一次 send：一个段，也不用等 ack / joined into one send: one segment, no wait for an ack
client.sendall(b''.join(b'msg%d;' % i for i in range(10)))
#]
client.shutdown(socket.SHUT_WR)
while True:
    data = conn.recv(1024)
    if not data:
        break
    print(len(data), data)
