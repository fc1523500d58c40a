# 第六章 简单的套接字 客户端
import socket

# 1、买手机
phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

# 2、拨号
phone.connect(('127.0.0.1', 8080))

# 3、说话，听话
phone.send('hello'.encode('utf-8'))
data = phone.recv(1024)
print('服务端的消息', data)

# 4、挂电话
phone.close()
