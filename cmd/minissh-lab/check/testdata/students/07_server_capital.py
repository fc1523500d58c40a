import socket

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', 8080))
s.listen(3)
while True:
    c, a = s.accept()
    while True:
        try:
            text = c.recv(1024).decode('utf-8')
            if text == '':
                break
            c.send(text.capitalize().encode('utf-8'))
        except ConnectionError:
            break
    c.close()
