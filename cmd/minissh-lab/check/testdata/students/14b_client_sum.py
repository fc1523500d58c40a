import socket

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(('127.0.0.1', 8080))


def receive(total):
    data = b''
    size = 0
    while size < total:
        part = client.recv(1024)
        if not part:
            raise SystemExit('服务端断开')
        data += part
        size += len(data)
    return data


while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    client.send(cmd.encode('utf-8'))
    length = client.recv(1024).decode('utf-8')
    if not length:
        break
    client.send(b'recv_ready')
    print(receive(int(length)).decode('utf-8'))
