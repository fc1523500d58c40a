import socket
import sys
import threading

#:part listen
PERIOD = bytes(range(251))


#[starter
def send_all(conn, data):
    conn.send(data)  # 练习：它返回什么？ / exercise: what does it return?


#]
#[mended
def send_all(conn, data):
    view = memoryview(data)
    while view:
        view = view[conn.send(view):]  # 收下多少，去掉多少 / drop what was taken


#]
def serve(conn):
    conn.settimeout(3)
    question = b''
    try:
        while True:
            data = conn.recv(1024)
            if not data:
                break
            question += data
            while b'\n' in question:
                line, question = question.split(b'\n', 1)
                n = int(line)
                if not 0 <= n <= 64 * 1024 * 1024:
                    raise ValueError('%d refused' % n)
                send_all(conn, (PERIOD * (n // 251 + 1))[:n])
            if len(question) > 20:
                raise ValueError('not a number')
    except (OSError, ValueError) as e:  # 断开、太久没有动静、不是数 / gone, silent, not a number
        print(e)
    conn.close()


#:part threads
