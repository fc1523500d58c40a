import socket
import sys

#:part call
while True:
    msg = input('>>>').strip()
#[mended
    if not msg:  # send(b'') 什么也不发，不会有回答 / send(b'') sends nothing: no answer
        continue
#]
    phone.sendall(msg.encode('utf-8'))
    data = phone.recv(1024)
#[starter
    # 练习：只按回车呢？服务端关了呢？ / exercise: and Enter alone? and when the server closes?
#]
#[mended
    if not data:
        sys.exit('服务端关闭了连接 / the server has closed')
#]
    print(data.decode('utf-8'))
