# 照着老师的代码写的
import socket

ip_port = ('192.168.43.10', 8080)
back_log = 5
buffer_size = 1024

tcp_server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
tcp_server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
tcp_server.bind(ip_port)
tcp_server.listen(back_log)

while True:
    conn, addr = tcp_server.accept()
    while True:
        try:
            data = conn.recv(buffer_size)
            if not data:
                break
            conn.send(data.upper())
        except ConnectionError:
            break
    conn.close()
