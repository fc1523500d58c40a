import socket
import sys

#:part call
#[starter
# 练习：加上、去掉下一行的 #，各跑一次 / exercise: run it with and without the next line's #
# phone.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for i in range(10):
    phone.send(b'msg%d;' % i)
#]
#[mended
# 合成一次 send：一个段，也不用等 ack / joined into one send: one segment, no wait for an ack
phone.sendall(b''.join(b'msg%d;' % i for i in range(10)))
#]
phone.close()
