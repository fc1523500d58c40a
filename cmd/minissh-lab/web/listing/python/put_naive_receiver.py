import socket
#?delay import time

#:part accept
while True:
    data = conn.recv($RECV)  #@ recv
    if not data:  #@ end
        break  #@ end
    # 一次 recv，当成一条消息 / one recv is taken for a message
    print(data)  #@ message
