import sys
from lab import calling, recv_exact, recv_header

phone = calling()
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    if cmd == 'quit':
        break
    phone.send(cmd.encode('utf-8'))
    try:
        head_dic = recv_header(phone)
        data = recv_exact(phone, head_dic['total_size'])
    except ConnectionError as e:
        sys.exit(str(e))
    print(data.decode('utf-8'))
phone.close()
