import json
import socket
import struct
import sys

#[mended
#:part recv_exact


#:part recv_header


#]
#:part call
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    phone.sendall(cmd.encode('utf-8'))
#[starter
    head_len = struct.unpack('i', phone.recv(4))[0]
    head_dic = json.loads(phone.recv(head_len).decode('utf-8'))
    data = phone.recv(head_dic['total_size'])  # 练习：都收够了吗？ / exercise: is each complete?
#]
#[mended
    try:
        head_dic = recv_header(phone)
        data = recv_exact(phone, head_dic['total_size'])
    except ConnectionError as e:
        sys.exit(str(e))
#]
    print(data.decode('utf-8'))
