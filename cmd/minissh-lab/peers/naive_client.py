import socket
import sys
from addr import address

coding = sys.argv[2] if len(sys.argv) > 2 else 'utf-8'
family, ip_port = address(8080)
s = socket.socket(family, socket.SOCK_STREAM)
s.connect(ip_port)
while True:
    cmd = input('>>: ').strip()
    if not cmd:
        continue
    if cmd == 'quit':
        break
    s.send(cmd.encode(coding))
    data = s.recv(1024)  # 粘包: what does not fit comes with the next command
    print('[%d]' % len(data))
    print(data.decode(coding))
s.close()
