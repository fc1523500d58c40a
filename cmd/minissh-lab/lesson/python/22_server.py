import socket
import sys

#:part listen
while True:
    conn, addr = phone.accept()
#[starter
    data = conn.recv(1024)  # 练习：什么时候才算全到了？ / exercise: when has all of it come?
    conn.send(data[::-1])
#]
#[mended
    conn.settimeout(3)  # 每次 recv 最多等 3 秒 / each recv waits 3 s at most
    data = b''
    try:
        while True:
            piece = conn.recv(65536)
            if not piece:  # 对方说完了 / the peer is done
                break
            data += piece
            if len(data) > 16 * 1024 * 1024:
                raise ConnectionError('太多了 / too much')
        conn.sendall(data[::-1])
    except OSError as e:  # 断开了，或者 3 秒没有动静 / gone, or silent for 3 s
        print(addr, e)
#]
    conn.close()
