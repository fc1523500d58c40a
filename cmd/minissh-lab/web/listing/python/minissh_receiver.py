import socket
import struct
import sys
#?delay import time

#:part accept
#:part exact

while True:
    head = recv_exact(12)  #@ recv:frame_length
    size = struct.unpack('>IBBHI', head)[0]
    data = recv_exact(size)  #@ recv:data
    print(data)  #@ message
