import socket
import sys

#:part listen
while True:
    conn, addr = phone.accept()
    while True:
        data = conn.recv(1024)
        if not data:
            break
#[starter
        conn.sendall(data)  # 练习：要回大写的 / exercise: answer in capitals
#]
#[mended
        conn.sendall(data.upper())
#]
    conn.close()
