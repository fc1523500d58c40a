import socket

phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # 端口重用
phone.bind(('127.0.0.1', 8080))
phone.listen(5)

while True:  # 连接循环
    print('等待连接')
    conn, client_addr = phone.accept()
    while True:  # 通信循环
        try:
            data = conn.recv(1024)
            conn.send(data.upper())
        except ConnectionError:
            print('客户端断开了')
            break
    conn.close()
phone.close()
