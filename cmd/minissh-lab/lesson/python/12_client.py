# 先运行 minissh-lab serve --dialect naive / first run: minissh-lab serve --dialect naive
import socket
import sys

#:part call
#[mended
phone.settimeout(0.3)
#]
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    phone.sendall(cmd.encode('utf-8'))
#[starter
    print(phone.recv(1024).decode('utf-8'))  # 练习：big，然后 pwd / exercise: big, then pwd
#]
#[mended
    # 收到对方 0.3 秒不说话为止。这只是拐杖：网络一慢就不对，真正的办法是长度（15a）
    # until the server has been silent for 0.3 s: a crutch that breaks on a slow network
    data = b''
    while True:
        try:
            res = phone.recv(1024)
        except socket.timeout:
            break
        if not res:
            sys.exit(data.decode('utf-8'))
        data += res
    print(data.decode('utf-8'))
#]
