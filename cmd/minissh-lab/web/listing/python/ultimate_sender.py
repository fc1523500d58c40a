import json
import socket
import struct
#?gap import time

#:part connect
$MESSAGES
for data in messages:
    header = json.dumps({
        'filename': 'a.txt', 'md5': 'xxdxxx',
        'total_size': len(data)}).encode()
    size = struct.pack('i', len(header))
    client.send(size)  #@ send:header_length
#?gap     time.sleep($GAP)  #@ nap:header_length
    client.send(header)  #@ send:json
#?gap     time.sleep($GAP)  #@ nap:json
    client.send(data)  #@ send:data
#?gap     time.sleep($GAP)  #@ nap:data
client.close()  #@ close
