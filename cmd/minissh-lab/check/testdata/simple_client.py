import struct
import sys
from lab import LIMIT, calling, recv_exact

phone = calling()
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    if cmd == 'quit':
        break
    phone.send(cmd.encode('utf-8'))
    try:
        head = recv_exact(phone, 4)
        total = struct.unpack('i', head)[0]
        if not 0 <= total <= LIMIT:
            sys.exit('length %d refused' % total)
        recv_data = b''
        recv_size = 0
        while recv_size < total:
            res = phone.recv(min(1024, total - recv_size))
            if not res:
                sys.exit('the connection ended')
            recv_data += res
            recv_size += len(res)
    except ConnectionError as e:
        sys.exit(str(e))
    print(recv_data.decode('utf-8'))
phone.close()
