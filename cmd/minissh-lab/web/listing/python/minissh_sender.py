import socket
import struct
#?gap import time

#:part connect
$MESSAGES
for data in messages:
    # 长度，类型，flags，保留，通道 / length, type, flags, reserved, channel
    head = struct.pack('>IBBHI', len(data),
                       0x10, 0, 0, 1)
    client.send(head + data)  #@ send
#?gap     time.sleep($GAP)  #@ nap
client.close()  #@ close
