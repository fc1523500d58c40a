import socket
import ssl
import struct
import sys

#[mended
#:part recv_exact


#]
#:part call
#[starter
# 练习：这是谁的证书？ / exercise: whose certificate is this?
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
phone = context.wrap_socket(phone)
#]
#[mended
context = ssl.create_default_context(cafile='cert.pem')  # 只信任这一张 / trust only this one
try:
    phone = context.wrap_socket(phone, server_hostname='127.0.0.1')
except (ssl.SSLError, OSError) as e:
    sys.exit('不是我的服务端 / not my server: %s' % e)
#]
while True:
    try:
        cmd = input('>>: ').strip()
    except EOFError:
        break
    if not cmd:
        continue
    phone.sendall(cmd.encode('utf-8'))
#[starter
    total_size = struct.unpack('<i', phone.recv(4))[0]
    recv_data = phone.recv(total_size)  # 练习：一次就收完了吗？ / exercise: is one recv all of it?
#]
#[mended
    try:
        total_size = struct.unpack('<i', recv_exact(phone, 4))[0]
        recv_data = recv_exact(phone, total_size)
    except OSError as e:  # ssl.SSLError 也是 OSError / so is ssl.SSLError
        sys.exit(str(e))
#]
    print(recv_data.decode('utf-8'))
