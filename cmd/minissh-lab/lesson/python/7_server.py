import socket
import sys

#:part listen
while True:
    conn, addr = phone.accept()
#[starter
    data = conn.recv(1024)  # 练习：第二条消息谁来收 / exercise: who receives the second message
    conn.sendall(data.upper())
#]
#[mended
    while True:
        data = conn.recv(1024)
        if not data:
            break
        conn.sendall(data.upper())
    conn.close()
#]
