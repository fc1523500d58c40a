# 第六章 简单的套接字 服务端
import socket

# 1、买手机
phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
# 2、插卡
phone.bind(('127.0.0.1', 8080))
# 3、开机
phone.listen(5)
# 4、等电话
print('starting...')
conn, client_addr = phone.accept()
print(client_addr)
# 5、收发消息
data = conn.recv(1024)
print('客户端的消息', data)
conn.send(data.upper())
# 6、挂电话
conn.close()
# 7、关机
phone.close()
