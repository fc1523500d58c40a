import json
import os
import socket
import struct
import sys

#:part recv_exact


#:part recv_header


#:part call


def get(name):
    phone.sendall(('get ' + name).encode('utf-8'))
    head_dic = recv_header(phone)
#[starter
    data = phone.recv(head_dic['file_size'])  # 练习：收够了吗？ / exercise: is it complete?
#]
#[mended
    data = recv_exact(phone, head_dic['file_size'])
#]
    if 'error' in head_dic:
        print(head_dic['error'])
        return
#[starter
    with open(head_dic['filename'], 'wb') as f:  # 练习：../x 呢？ / exercise: and ../x?
        f.write(data)
#]
#[mended
    with open(os.path.basename(head_dic['filename']), 'wb') as f:
        f.write(data)
#]


def put(name):
    phone.sendall(('put ' + name).encode('utf-8'))
    head_dic = {'filename': name, 'md5': 'xxdxxx', 'file_size': os.path.getsize(name)}
    head_bytes = json.dumps(head_dic).encode('utf-8')
    phone.sendall(struct.pack('<i', len(head_bytes)) + head_bytes)
    with open(name, 'rb') as f:
        phone.sendall(f.read())


while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    try:
        verb, name = cmd.split(maxsplit=1)
        if verb == 'get':
            get(name)
        else:
            put(name)
    except (ConnectionError, ValueError) as e:
        sys.exit(str(e))
