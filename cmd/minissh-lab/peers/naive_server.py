import socket
import sys
from addr import address, started
from shell import popen

coding = sys.argv[2] if len(sys.argv) > 2 else 'utf-8'
family, ip_port = address(8080)
s = socket.socket(family, socket.SOCK_STREAM)
s.bind(ip_port)
s.listen(5)
started(s)
conn, addr = s.accept()
while True:
    cmd = conn.recv(1024)
    if not cmd:
        break
    out, err = popen(cmd.decode(coding))
    conn.send(out.encode(coding))
    conn.send(err.encode(coding))  # b'' sends nothing: the client waits for ever
conn.close()
s.close()
