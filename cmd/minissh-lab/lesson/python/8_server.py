import socket
import sys

#[starter
port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.bind(('127.0.0.1', port))  # 练习：马上重启，bind 会报错 / exercise: a restart fails in bind
phone.listen(5)
while True:
    conn, addr = phone.accept()
    while True:  # 练习：客户端走了，循环停得下来吗 / exercise: does it end when the client leaves
        data = conn.recv(1024)
        conn.sendall(data.upper())
#]
#[mended
#:part listen
while True:
    conn, addr = phone.accept()
    while True:
        try:
            data = conn.recv(1024)
            if not data:  # FIN：对方关了 / FIN: the peer has closed
                break
            conn.sendall(data.upper())
        except (ConnectionResetError, BrokenPipeError):  # RST
            break
    conn.close()
#]
