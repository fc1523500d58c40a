import socket

SIZE = 4
sk = socket.socket()
sk.connect(('127.0.0.1', 8080))

while 1:
    inp = input('>>: ').strip()
    if len(inp) == 0:
        continue
    if inp == 'exit':
        break
    sk.sendall(bytes(inp, encoding='utf-8'))
    ret = sk.recv(SIZE)
    if not ret:
        break
    print(ret)

sk.close()
