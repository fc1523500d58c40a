from lab import calling

phone = calling()
while True:
    msg = input('>>>').strip()
    if not msg:
        continue
    phone.send(msg.encode('utf-8'))
    data = phone.recv(1024)
    if not data:
        break
    print(data.decode('utf-8'))
phone.close()
