import json
import os
import struct
import sys
from lab import calling, recv_exact, recv_header

phone = calling()


def get(name):
    phone.send(('get ' + name).encode('utf-8'))
    head_dic = recv_header(phone)
    data = recv_exact(phone, head_dic['file_size'])
    if 'error' in head_dic:
        print(head_dic['error'])
        return
    with open(os.path.basename(head_dic['filename']), 'wb') as f:
        f.write(data)


def put(name):
    phone.send(('put ' + name).encode('utf-8'))
    head_dic = {'filename': name, 'md5': 'xxdxxx', 'file_size': os.path.getsize(name)}
    head_json = json.dumps(head_dic, ensure_ascii=False)
    head_bytes = head_json.encode('utf-8')
    phone.sendall(struct.pack('i', len(head_bytes)) + head_bytes)
    with open(name, 'rb') as f:
        phone.sendall(f.read())


while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    if cmd == 'quit':
        break
    try:
        verb, name = cmd.split(maxsplit=1)
        if verb == 'get':
            get(name)
        else:
            put(name)
    except (ConnectionError, ValueError) as e:
        sys.exit(str(e))
phone.close()
