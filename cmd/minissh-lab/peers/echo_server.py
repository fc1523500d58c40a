import socket
from addr import address, started

family, ip_port = address(8080)
phone = socket.socket(family, socket.SOCK_STREAM)  # 买手机
phone.bind(ip_port)  # 绑定手机卡
phone.listen(5)  # 开机
started(phone)
conn, client_addr = phone.accept()  # 等电话
while True:
    data = conn.recv(1024)
    if not data:
        break
    conn.send(data.upper())
conn.close()
phone.close()
