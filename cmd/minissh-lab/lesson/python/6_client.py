import socket
import sys

#:part call
while True:
    msg = input('>>>').strip()
    if not msg:
        continue
    phone.sendall(msg.encode('utf-8'))
#[starter
    # 练习：收回答，打印出来 / exercise: receive the answer and print it
#]
#[mended
    data = phone.recv(1024)
    if not data:
        break
    print(data.decode('utf-8'))
#]
