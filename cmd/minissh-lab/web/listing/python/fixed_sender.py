import socket
#?gap import time

#:part connect
$MESSAGES
for data in messages:
    # 不够就补空格 / pad with blanks
    client.send(data.ljust($SIZE))  #@ send
#?gap     time.sleep($GAP)  #@ nap
client.close()  #@ close
