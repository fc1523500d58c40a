import socket
#?gap import time

#:part connect
$MESSAGES
for data in messages:
    client.send(str(len(data)).encode())  #@ send:digits
#?gap     time.sleep($GAP)  #@ nap:digits
    client.recv(1024)  # 等 recv_ready / waits for recv_ready  #@ ack
    client.send(data)  #@ send:data
#?gap     time.sleep($GAP)  #@ nap:data
client.close()  #@ close
