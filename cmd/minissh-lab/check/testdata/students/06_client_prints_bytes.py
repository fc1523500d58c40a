import socket

# 1. 买手机
phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
# 2. 拨号
phone.connect(('127.0.0.1', 8080))
# 3. 通话
while True:
    msg = input('>>>: ').strip()
    if not msg:
        continue
    phone.send(bytes(msg, 'utf-8'))
    data = phone.recv(1024)
    if not data:
        break
    print(data)
# 4. 挂电话
phone.close()
