import os
import socket
import sys

path = sys.argv[1] if len(sys.argv) > 1 else '/tmp/my.sock'
if path.startswith('unix:'):
    path = path[5:]
phone = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
phone.bind(path)
phone.listen(5)


def serve(conn):
    while True:
        data = conn.recv(1024)
        if not data:
            break
        conn.sendall(data.upper())
    conn.close()


#[starter
while True:  # 练习：Ctrl-C 以后，文件还在 / exercise: after Ctrl-C the file is still there
    conn, addr = phone.accept()
    serve(conn)
#]
#[mended
try:
    while True:
        conn, addr = phone.accept()
        serve(conn)
except KeyboardInterrupt:
    pass
finally:
    phone.close()
    os.remove(path)
#]
