from lab import calling, recv_exact

phone = calling()
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    phone.send(cmd.encode('utf-8'))
    total = int(phone.recv(1024))
    phone.send(b'recv_ready')
    print(recv_exact(phone, total).decode('utf-8'))
