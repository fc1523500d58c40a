# 第八章 修复bug
import socket

phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # 地址正在使用
phone.bind(('127.0.0.1', 8080))
phone.listen(5)

print('starting...')
conn, client_addr = phone.accept()
print(client_addr)
while True:
    try:
        data = conn.recv(1024)
        if not data:  # 适用于linux
            break
        print('客户端的数据', data)
        conn.send(data.upper())
    except ConnectionResetError:  # 适用于windows
        break
conn.close()
phone.close()
