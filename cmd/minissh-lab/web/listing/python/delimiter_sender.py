import socket
#?gap import time

#:part connect
$MESSAGES
for data in messages:
    client.send(data + b'\n')  #@ send
#?gap     time.sleep($GAP)  #@ nap
client.close()  #@ close
