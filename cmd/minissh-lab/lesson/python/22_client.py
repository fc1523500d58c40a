import socket
import sys

#:part call
#[mended
phone.settimeout(3)
#]
for line in sys.stdin:
    phone.sendall(line.encode('utf-8'))
#[starter
print(phone.recv(1024))  # 练习：服务端怎么知道说完了？ / exercise: how does the server know the end?
#]
#[mended
phone.shutdown(socket.SHUT_WR)  # 说完了，还要听 / done speaking, still listening
answer = b''
try:
    while True:
        piece = phone.recv(65536)
        if not piece:
            break
        answer += piece
except OSError as e:
    sys.exit('没有等到完整的回答 / no complete answer: %s' % e)
print(answer.decode('utf-8', 'replace'))
#]
phone.close()
