import socket
import structs

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(('127.0.0.1', 8080))


def read(n):
    data = b''
    while len(data) < n:
        data += client.recv(n - len(data))
    return data


while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    client.send(cmd.encode('utf-8'))
    total = structs.unpack('i', read(4))[0]
    print(read(total).decode('utf-8'))
