from lab import calling

phone = calling()
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    phone.send(cmd.encode('utf-8'))
    data = phone.recv(1024)
    if not data:
        break
    print(data.decode('utf-8'))
