import socket
import sys
import threading

#:part listen


def serve(conn):
    while True:
        try:
            data = conn.recv(1024)
        except ConnectionResetError:
            break
        if not data:
            break
        conn.sendall(data.upper())
    conn.close()


#[starter
conn, addr = phone.accept()
serve(conn)  # 练习：第二个客户端呢 / exercise: and the second client?
#]
#[mended
#:part threads
#]
