import json
import socket
import struct
import sys
#?delay import time

#:part accept
#:part exact

while True:
    head = recv_exact(4)  #@ recv:header_length
    size = struct.unpack('i', head)[0]
    header = recv_exact(size)  #@ recv:json
    size = json.loads(header)['total_size']
    data = recv_exact(size)  #@ recv:data
    print(data)  #@ message
