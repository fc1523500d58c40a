import socket
import struct
#?gap import time

#:part connect
$MESSAGES
for data in messages:
    size = struct.pack('i', len(data))
    client.send(size)  #@ send:length
#?gap     time.sleep($GAP)  #@ nap:length
    client.send(data)  #@ send:data
#?gap     time.sleep($GAP)  #@ nap:data
client.close()  #@ close
