import socket
import struct
import sys

#[mended
#:part recv_exact


#]
#:part call
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    phone.sendall(cmd.encode('utf-8'))
#[starter
    total_size = struct.unpack('i', phone.recv(4))[0]
    recv_data = b''
    recv_size = 0
    while recv_size < total_size:  # 练习：-1 呢？2147483647 呢？ / exercise: and -1? and 2147483647?
        res = phone.recv(min(1024, total_size - recv_size))
        recv_data += res
        recv_size += len(res)
#]
#[mended
    try:
        total_size = struct.unpack('<i', recv_exact(phone, 4))[0]
        if not 0 <= total_size <= LIMIT:
            sys.exit('length %d refused' % total_size)
        recv_data = b''
        recv_size = 0
        while recv_size < total_size:
            res = phone.recv(min(1024, total_size - recv_size))
            if not res:
                sys.exit('断开了 / the connection ended')
            recv_data += res
            recv_size += len(res)  # 只数这一次来的 / count what came this time
    except ConnectionError as e:
        sys.exit(str(e))
#]
    print(recv_data.decode('utf-8'))
